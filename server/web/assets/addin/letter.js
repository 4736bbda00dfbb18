// One message that is read: what is known of it, where it goes, and the one button.

import { refusal, stateWords } from './activity.js';
import { Cards, deed } from './cards.js';
import { Places, called, place } from './places.js';
import { h } from './view.js';

/** What the server is told of a message, to say what it knows. @param {any} letter */
export function told(letter) {
  const all = {
    mailbox: letter.mailbox,
    message_id: letter.messageId,
    in_reply_to: letter.inReplyTo,
    headers: letter.headers,
    subject: letter.subject,
    from: letter.from,
    to: letter.to,
    cc: letter.cc,
    attachments: letter.attachments,
  };
  const isSaid = (/** @type {any} */ it) => (Array.isArray(it) ? it.length > 0 : Boolean(it));
  return Object.fromEntries(Object.entries(all).filter(([, it]) => isSaid(it)));
}

/** One request to know. @param {import('./frame.js').App} app @param {any[]} letters @param {AbortSignal} signal */
export async function know({ server, frame }, letters, signal) {
  const json = letters.length > 0 ? { letters: letters.map(told) } : {};
  const answer = await server.askUntil('POST', '/letters/known', { json, signal }, frame.trouble);
  return {
    letters: (answer.letters ?? []).map((/** @type {any} */ it) => ({ filed: it.filed ?? [], suggestions: (it.suggestions ?? []).map(place), decided: Boolean(it.decided) })),
    shelf: { recent: (answer.recent ?? []).map(place), bookmarked: (answer.bookmarked ?? []).map(place), marks: new Map() },
    category: String(answer.category ?? ''),
    fetches: Boolean(answer.fetches),
  };
}

/** @typedef {Awaited<ReturnType<typeof know>>} Knowledge */

/** What is filed of a message, for the jobs. @param {import('./frame.js').App} app @param {import('./host.js').Letter} letter
 * @param {any[]} matters @param {string[]} places @param {string} note @param {boolean} fetches @returns {import('./jobs.js').Work} */
export function workOf({ port }, letter, matters, places, note, fetches) {
  const meta = { mailbox: letter.mailbox, message_id: letter.messageId, item_id: letter.restId, matters, note };
  return {
    path: 'letters',
    subject: letter.subject,
    meta,
    places,
    id: letter.messageId || letter.itemId,
    bytes: async () => (fetches ? null : handOver(port, letter)),
    fileName: 'message.eml',
    mediaType: 'message/rfc822',
  };
}

/** The message as a file, where this Outlook hands it over. @param {import('./host.js').Outlook} port @param {import('./host.js').Letter} letter */
function handOver(port, letter) {
  const may = letter.item ? port.hands.open : port.hands.selected;
  if (!may) throw Object.assign(new Error('old'), { key: letter.item ? 'addin.error_old_outlook' : 'addin.error_old_outlook_several' });
  return port.file(letter);
}

/** Marks the message as filed at once: who files many goes on to the next before the DMS has answered. Taken back, it is not marked.
 * @param {import('./frame.js').App} app @param {import('./jobs.js').Job} job @param {import('./host.js').Letter} letter @param {string} category */
export function markWith({ port }, job, letter, category) {
  let marked = false;
  job.addEventListener('change', () => {
    const filed = job.isTaken && !(job.state === 'through' && job.filings.every((it) => it.state === 'failed'));
    if (job.isTaken || job.state === 'undone') {
      if (filed !== marked) port.mark(letter, category, filed);
      marked = filed;
    }
  });
}

/** @param {import('./frame.js').App} app @param {any} item @param {AbortSignal} signal
 * @param {boolean} [wanted] it was filed just now, and is to go elsewhere besides */
export async function showLetter(app, item, signal, wanted = false) {
  const { port, texts, server, jobs, frame, tell } = app;
  const subject = String(item.subject || '') || texts.say('addin.no_subject');
  frame.show(h('h1', { class: 'subject' }, subject), h('p', { class: 'loading' }, texts.say('addin.loading')));
  const letter = await port.letter(item);
  const known = await know(app, [letter], signal);
  if (signal.aborted) return;
  const { filed, suggestions, decided } = known.letters[0] ?? { filed: [], suggestions: [], decided: false };

  goOn(app, letter, known.fetches, known.category);
  const head = [
    h('h1', { class: 'subject' }, subject),
    letter.from && h('p', { class: 'small from' }, letter.from.name || letter.from.address),
    letter.shared && h('p', { class: 'notice' }, texts.say('addin.shared', { mailbox: letter.mailbox })),
    letter.sealed && h('p', { class: 'notice' }, texts.say('addin.sealed')),
    filed.length > 0 && filedBanner(filed, texts),
  ];
  const form = choice();
  // What is filed already is rarely filed again: it is a click away, not in the way.
  const under = jobs.list.find((it) => !it.work.quiet && it.work.id === (letter.messageId || letter.itemId) && (!it.isOver || it.isTaken));
  if (under && !wanted) more();
  else frame.show(...head, form);

  /** In place of the form, once it was filed. */
  function more() {
    const another = h('button', { type: 'button', class: 'quiet' }, texts.say('addin.file_another'));
    another.addEventListener('click', () => {
      const failed = (/** @type {unknown} */ error) => {
        if (signal.aborted) return;
        more();
        tell(refusal(texts, error));
      };
      showLetter(app, item, signal, true).then(() => frame.focus(), failed);
    });
    frame.show(...head, h('p', { class: 'actions' }, another));
  }

  function choice() {
    const cards = new Cards({ texts, attachments: letter.attachments });
    const lower = deed({ texts, press });
    const places = new Places({ texts, server, shelf: known.shelf, suggestions, chosen: () => cards.ids, tell });
    const label = () => lower.label(cards.ids.length > 1 ? texts.say('addin.file_many', { count: cards.ids.length }) : texts.say('addin.file'));
    cards.addEventListener('change', () => {
      label();
      lower.wrong('');
      places.refresh();
    });
    cards.addEventListener('emptied', () => places.input?.focus());
    places.addEventListener('pick', (event) => {
      const it = /** @type {CustomEvent} */ (event).detail;
      const on = cards.toggle(it);
      tell(texts.say(on ? 'addin.chosen_now' : 'addin.chosen_gone', { matter: called(it) }));
    });
    if (decided && suggestions[0]?.open && filed.length === 0) cards.add(suggestions[0]);
    label();
    const chosen = h('section', { 'aria-label': texts.say('addin.chosen_title') }, cards.element, lower.form);
    const whole = h('div', { class: 'choice' }, chosen, places.element);
    whole.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      lower.form.requestSubmit();
    });
    return whole;

    /** @param {string} note */
    function press(note) {
      if (cards.ids.length === 0) {
        lower.wrong(texts.say('addin.choose_first'));
        places.input?.focus();
        return;
      }
      if (cards.empty) {
        lower.wrong(texts.say('addin.choose_part', { matter: called(cards.empty.place) }));
        return;
      }
      const work = workOf(app, letter, cards.matters(), cards.places.map(called), note, known.fetches);
      work.watch = (job) => {
        markWith(app, job, letter, known.category);
        if (!signal.aborted) more();
        job.addEventListener('change', () => {
          // Nothing of it is filed: the choice is there again as it was.
          if (['undone', 'refused'].includes(job.state) && !signal.aborted) frame.show(...head, whole);
        });
      };
      app.follow(jobs.start(work));
    }
  }
}

/** Goes on with what was begun before the pane was closed: where the file has to come from here, with the message that is open.
 * @param {import('./frame.js').App} app @param {import('./host.js').Letter | null} letter @param {boolean} fetches @param {string} [category] */
export function goOn(app, letter, fetches, category = '') {
  for (const { key, path, subject, meta, places, id } of app.jobs.unfinished()) {
    if (path !== 'letters') continue;
    const same = letter !== null && id === (letter.messageId || letter.itemId);
    if (!fetches && !same) continue;
    const bytes = async () => (fetches ? null : handOver(app.port, /** @type {any} */ (letter)));
    const job = app.jobs.goOn({ path, subject, meta, places, id, bytes, fileName: 'message.eml', mediaType: 'message/rfc822' }, key);
    if (same && letter) markWith(app, job, letter, category);
  }
}

/** Who filed it where, and when. @param {any[]} filed @param {import('./view.js').Texts} texts */
function filedBanner(filed, texts) {
  const line = (/** @type {any} */ it) =>
    h(
      'li',
      {},
      h('strong', {}, [it.reference, it.title].filter(Boolean).join(' ')),
      h('span', { class: 'small' }, ` ${texts.say('addin.filed_by', { person: it.by, time: texts.time(it.at) })}${it.state ? ` · ${stateWords(texts, it.state)}` : ''}`),
    );
  return h('div', { class: 'notice filed' }, h('p', {}, texts.say('addin.filed_already')), h('ul', {}, filed.map(line)));
}

