// Several messages at once: all to one matter, or each to what is suggested for it. They are filed one after another.

import { refusal, stateOf } from './activity.js';
import { Cards, deed } from './cards.js';
import { goOn, know, workOf } from './letter.js';
import { Places, called } from './places.js';
import { fill, h, unique } from './view.js';

/** Office selects no more, and the server is asked for no more. */
const MOST = 100;

/** @param {import('./frame.js').App} app @param {any[]} messages @param {AbortSignal} signal */
export async function showSeveral(app, messages, signal) {
  const { port, texts, server, jobs, frame, tell } = app;
  const letters = messages.slice(0, MOST).map((it) => port.selected(it));
  frame.show(h('h1', {}, texts.say('addin.several_title', { count: letters.length })), h('p', { class: 'loading' }, texts.say('addin.loading')));
  const known = await know(app, letters, signal);
  if (signal.aborted) return;
  goOn(app, null, known.fetches);

  const rows = letters.map((letter, number) => {
    const { filed = [], suggestions = [], decided = false } = known.letters[number] ?? {};
    const own = suggestions[0]?.open ? suggestions[0] : null;
    // What is filed already is not filed again unless somebody wants it.
    return { letter, filed, own, decided, wanted: filed.length === 0, line: h('span', { class: 'small' }), state: '' };
  });
  /** @typedef {typeof rows[number]} Row */
  const withOwn = rows.filter((it) => it.own).length;
  let each = rows.some((it) => it.decided);

  const cards = new Cards({ texts, parts: false });
  const places = new Places({ texts, server, shelf: known.shelf, chosen: () => cards.ids, tell });
  const lower = deed({ texts, press });
  const wanted = () => rows.filter((it) => it.wanted && (!each || it.own));

  const draw = () => {
    cards.element.hidden = each;
    places.element.hidden = each;
    lower.label(texts.count('addin.several_file', wanted().length));
    lower.wrong('');
    places.refresh();
    for (const row of rows) {
      const to = each ? (row.own ? texts.say('addin.several_to', { matter: called(row.own) }) : texts.say('addin.several_no_own')) : '';
      const was = row.filed.length > 0 ? texts.say('addin.several_filed', { matter: row.filed.map((/** @type {any} */ it) => it.reference || it.title).join(', ') }) : '';
      row.line.textContent = row.state || [was, to].filter(Boolean).join(' · ');
    }
  };
  cards.addEventListener('change', draw);
  cards.addEventListener('emptied', () => places.input?.focus());
  places.addEventListener('pick', (event) => {
    const it = /** @type {CustomEvent} */ (event).detail;
    tell(texts.say(cards.toggle(it) ? 'addin.chosen_now' : 'addin.chosen_gone', { matter: called(it) }));
  });

  const group = unique('where');
  const way = (/** @type {boolean} */ value, /** @type {string} */ words, /** @type {boolean} */ may) => {
    const input = h('input', { type: 'radio', name: group, checked: each === value, disabled: !may });
    input.addEventListener('change', () => {
      each = value;
      draw();
    });
    return h('label', { class: 'check' }, input, h('span', {}, words));
  };
  const ways = h(
    'fieldset',
    {},
    h('legend', {}, texts.say('addin.several_where')),
    way(true, texts.say('addin.several_each', { count: withOwn, all: rows.length }), withOwn > 0),
    way(false, texts.say('addin.several_one'), true),
  );
  const row = (/** @type {Row} */ it) => {
    const box = h('input', { type: 'checkbox', checked: it.wanted });
    box.addEventListener('change', () => {
      it.wanted = box.checked;
      draw();
    });
    return h('li', {}, h('label', { class: 'check' }, box, h('span', {}, it.letter.subject || texts.say('addin.no_subject'))), it.line);
  };
  const list = h('section', { 'aria-label': texts.say('addin.several_list') }, h('ul', { class: 'letters' }, rows.map(row)));
  draw();
  frame.show(h('h1', {}, texts.say('addin.several_title', { count: rows.length })), ways, cards.element, lower.form, places.element, list);

  /** @param {string} note */
  function press(note) {
    if (!each && cards.ids.length === 0) {
      lower.wrong(texts.say('addin.choose_first'));
      places.input?.focus();
      return;
    }
    if (wanted().length === 0) return lower.wrong(texts.say('addin.several_none'));
    const matters = (/** @type {Row} */ it) =>
      each ? [{ work_item: /** @type {any} */ (it.own).work_item, message: true, attachments: null }] : cards.matters();
    const names = (/** @type {Row} */ it) => (each ? [called(/** @type {any} */ (it.own))] : cards.places.map(called));
    const run = wanted().map((it) => ({ row: it, work: { ...workOf(app, it.letter, matters(it), names(it), note, known.fetches), quiet: true } }));
    file(run);
  }

  /** Files one after another, and shows how far it is. @param {{ row: Row, work: import('./jobs.js').Work }[]} run */
  async function file(run) {
    const bar = h('progress', { max: String(run.length), value: 0, 'aria-label': texts.say('addin.several_progress') });
    const state = h('p', { class: 'job-state', role: 'status' });
    const now = h('p', { class: 'small' });
    const signIn = h('button', { type: 'button', hidden: true }, texts.say('common.sign_in'));
    const failures = h('ul', { class: 'job-places' });
    const actions = h('p', { class: 'actions' });
    const heading = h('h1', { tabindex: '-1' }, texts.count('addin.several_filing', run.length));
    signIn.addEventListener('click', () => app.session.signIn().catch(() => tell(texts.say('addin.sign_in_failed'))));
    // Filing goes on when another message is opened; then only its end is told.
    const shown = h('div', { class: 'card job' }, heading, bar, state, now, h('p', { class: 'actions' }, signIn), failures, actions);
    frame.show(shown);
    heading.focus();
    /** @type {import('./jobs.js').Job[]} */
    const taken = [];
    /** @type {{ row: Row, work: import('./jobs.js').Work }[]} */
    const failed = [];
    const count = () => {
      bar.value = taken.length + failed.length;
      state.textContent = texts.say('addin.several_state', { done: taken.length, all: run.length });
    };
    count();
    for (const it of run) {
      const job = jobs.start(it.work);
      job.addEventListener('change', () => {
        now.textContent = `${it.work.subject}: ${stateOf(job, app)}`;
        signIn.hidden = job.state !== 'sign_in';
      });
      await job.done;
      if (job.isTaken) taken.push(job);
      else {
        failed.push(it);
        failures.append(h('li', {}, h('strong', {}, it.work.subject || texts.say('addin.no_subject')), h('span', { class: 'cause' }, refusal(texts, job.trouble))));
      }
      jobs.put(job);
      count();
    }
    now.textContent = '';
    const end = failed.length > 0 ? texts.count('addin.several_failed', failed.length) : texts.say('addin.several_done');
    state.textContent = `${texts.say('addin.several_state', { done: taken.length, all: run.length })} ${end}`;
    if (signal.aborted) tell(state.textContent);
    const again = h('button', { type: 'button' }, texts.say('common.retry'));
    again.addEventListener('click', () => file(failed));
    fill(actions, failed.length > 0 && again, undoAll(taken, state));
  }

  /** Takes back what still can be. @param {import('./jobs.js').Job[]} taken @param {HTMLElement} state */
  function undoAll(taken, state) {
    const may = () => taken.filter((it) => it.mayUndo);
    if (may().length === 0) return null;
    const button = h('button', { type: 'button', class: 'quiet' }, texts.say('addin.several_undo'));
    const end = Math.max(...taken.map((it) => it.undoUntil)) - Date.now();
    setTimeout(() => (button.hidden = true), end);
    button.addEventListener('click', async () => {
      button.disabled = true;
      const these = may();
      for (const job of these) await jobs.undo(job);
      const undone = these.filter((it) => it.state === 'undone').length;
      state.textContent = texts.count('addin.several_undone', undone);
      button.hidden = true;
    });
    return button;
  }
}
