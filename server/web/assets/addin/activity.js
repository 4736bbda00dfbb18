// What is being filed, and what became of it: a card for each, until it is put away.

import { IN_PLACE } from './jobs.js';
import { Refused } from './server.js';
import { fill, h, unique } from './view.js';

/** Of what went well so many are kept in sight. */
const KEPT = 3;

/** How the state of a filing or an intake reads. @param {import('./view.js').Texts} texts @param {string} state */
export function stateWords(texts, state) {
  const key = `addin.state_${state}`;
  return texts.table[key] ?? state;
}

/** What went wrong with a filing, and what helps. @param {any} filing */
export const causeWords = (filing) => [filing.cause?.sentence, filing.cause?.hint].filter(Boolean).join(' ');

/** @param {import('./jobs.js').Job} job @param {import('./frame.js').App} app */
export function stateOf(job, { texts, frame }) {
  const { trouble } = job;
  const name = { installation: frame.installation };
  switch (job.state) {
    case 'preparing':
      return job.share > 0 ? texts.say('addin.job_reading', { percent: Math.round(job.share * 100) }) : texts.say('addin.job_preparing');
    case 'sending':
      return texts.say('addin.job_sending');
    case 'waiting':
      return texts.say(/** @type {any} */ (trouble)?.status ? 'addin.job_busy' : 'addin.job_offline', name);
    case 'sign_in':
      return texts.say('addin.job_sign_in');
    case 'refused':
      return refusal(texts, trouble);
    case 'undone':
      return job.kept > 0 ? texts.count('addin.job_partly_undone', job.kept) : texts.say('addin.job_undone');
    case 'on_its_way':
      return texts.say('addin.job_on_its_way');
    case 'through':
      if (job.isInPlace) return texts.say('addin.job_filed');
      return job.intake?.needs?.text ? texts.say('addin.job_person', { why: job.intake.needs.text }) : texts.say('addin.job_not_all');
    default:
      return texts.say('addin.job_taken');
  }
}

/** Why something was refused, with what helps. @param {import('./view.js').Texts} texts @param {any} error */
export function refusal(texts, error) {
  if (error instanceof Refused) return [error.message, error.hint].filter(Boolean).join(' ');
  return texts.say(error?.key ?? 'addin.error_office', { why: String(error?.message ?? '') });
}

/** The cards of all jobs that are not shown together elsewhere. @param {import('./frame.js').App} app */
export function activity(app) {
  const { jobs, texts } = app;
  const list = h('div', { class: 'activity' });
  const section = h('section', { 'aria-label': texts.say('addin.activity') }, list);
  /** @type {Map<import('./jobs.js').Job, HTMLElement>} */
  const cards = new Map();
  const draw = () => {
    const wanted = jobs.list.filter((it) => !it.work.quiet);
    const well = wanted.filter((it) => it.isInPlace || it.state === 'undone').slice(KEPT);
    for (const job of well) jobs.list = jobs.list.filter((it) => it !== job);
    for (const [job, card] of cards) {
      if (jobs.list.includes(job)) continue;
      card.remove();
      cards.delete(job);
    }
    for (const job of [...wanted].reverse()) {
      if (cards.has(job) || !jobs.list.includes(job)) continue;
      const card = cardOf(job, app);
      cards.set(job, card);
      list.prepend(card);
    }
    section.hidden = cards.size === 0;
  };
  jobs.addEventListener('change', draw);
  draw();
  return {
    section,
    /** @param {import('./jobs.js').Job} job */
    focus: (job) => /** @type {HTMLElement | null} */ (cards.get(job)?.querySelector('h2'))?.focus(),
  };
}

/** @param {import('./jobs.js').Job} job @param {import('./frame.js').App} app */
function cardOf(job, app) {
  const { texts, jobs, session, tell, server } = app;
  const title = unique('job');
  const state = h('p', { class: 'job-state' });
  const where = h('ul', { class: 'job-places' });
  const seconds = h('span', { 'aria-hidden': 'true' });
  const undo = h('button', { type: 'button', class: 'quiet', hidden: true }, texts.say('addin.undo'), ' ', seconds);
  const again = h('button', { type: 'button', hidden: true }, texts.say('common.retry'));
  const signIn = h('button', { type: 'button', hidden: true }, texts.say('common.sign_in'));
  const put = h('button', { type: 'button', class: 'quiet', hidden: true }, texts.say('addin.put_away'));
  const trouble = h('p', { class: 'mistake', role: 'alert' });
  const heading = h('h2', { id: title, tabindex: '-1' }, job.work.subject || texts.say('addin.no_subject'));
  const card = h(
    'section',
    { class: 'card job', 'aria-labelledby': title },
    heading,
    state,
    where,
    trouble,
    h('p', { class: 'actions' }, undo, again, signIn, put),
  );
  let told = '';
  let timer = 0;

  const tick = () => {
    const left = Math.ceil((job.undoUntil - Date.now()) / 1000);
    if (!job.mayUndo || left <= 0) {
      clearInterval(timer);
      timer = 0;
      if (document.activeElement === undo) heading.focus();
      undo.hidden = true;
      return;
    }
    undo.hidden = false;
    seconds.textContent = `(${texts.say('addin.seconds', { seconds: left })})`;
  };

  const draw = () => {
    const words = stateOf(job, app);
    card.dataset.state = job.isInPlace ? 'filed' : job.state;
    state.textContent = words;
    fill(where, ...lines(job, app));
    // Not each look, only what is new.
    if (words !== told && !['preparing', 'sending'].includes(job.state)) tell(`${heading.textContent}: ${words}`);
    told = words;
    if (job.mayUndo && timer === 0) timer = /** @type {any} */ (setInterval(tick, 1000));
    tick();
    const focused = document.activeElement;
    again.hidden = job.state !== 'refused';
    signIn.hidden = job.state !== 'sign_in';
    put.hidden = !job.isOver;
    trouble.textContent = job.undoTrouble.startsWith('addin.') ? texts.say(job.undoTrouble) : job.undoTrouble;
    if (focused instanceof HTMLElement && card.contains(focused) && focused.hidden) heading.focus();
  };

  undo.addEventListener('click', () => jobs.undo(job));
  again.addEventListener('click', () => {
    const next = jobs.again(job);
    app.follow(next);
  });
  signIn.addEventListener('click', () => session.signIn().catch(() => tell(texts.say('addin.sign_in_failed'))));
  put.addEventListener('click', () => {
    jobs.put(job);
    app.frame.focus();
  });
  job.addEventListener('change', draw);
  draw();
  return card;

  /** @param {import('./jobs.js').Job} it @param {import('./frame.js').App} given */
  function lines(it, given) {
    if (it.state === 'undone') return [];
    if (it.filings.length === 0) return it.work.places.map((name) => h('li', {}, name));
    return it.filings.map((filing) => filingLine(filing, given, async () => {
      const { filing: now } = await server.ask('POST', `/filings/${filing.id}/retry`, { headers: { 'if-match': `"${filing.version}"` }, json: {} });
      it.filings = it.filings.map((other) => (other.id === now.id ? now : other));
      it.become('on_its_way');
    }));
  }
}

/** One filing: what, where, how it is, and another try where that is for the person.
 * @param {any} filing @param {import('./frame.js').App} app @param {() => Promise<void>} retry */
export function filingLine(filing, { texts, tell }, retry) {
  const cause = filing.state === 'filed' ? '' : causeWords(filing);
  const button = h('button', { type: 'button', class: 'quiet small-button' }, texts.say('common.retry'), h('span', { class: 'hidden' }, ` ${filing.file_name}`));
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await retry();
      tell(texts.say('addin.retried'));
    } catch (error) {
      tell(error instanceof Refused ? refusal(texts, error) : texts.say('addin.error_not_now'));
      button.disabled = false;
    }
  });
  const link = filing.receipt?.link;
  const safe = typeof link === 'string' && /^https:\/\//.test(link);
  return h(
    'li',
    { 'data-state': filing.state },
    h('span', { class: 'filing-name' }, safe ? h('a', { href: link, target: '_blank', rel: 'noreferrer' }, filing.file_name) : filing.file_name),
    ' ',
    h('span', { class: 'small' }, [filing.reference, filing.target].filter(Boolean).join(' · ')),
    ' ',
    h('span', { class: `state-word ${IN_PLACE.includes(filing.state) ? 'good' : cause ? 'bad' : ''}` }, stateWords(texts, filing.state)),
    cause && h('span', { class: 'cause' }, cause),
    ['failed', 'undecided'].includes(filing.state) && filing.state === 'failed' && button,
  );
}
