// The pane in Word, Excel and PowerPoint: files the open document. Filed again, it becomes a version of the same document in the DMS:
// the document carries an id of its own.

import { refusal } from './activity.js';
import { Cards, deed } from './cards.js';
import { open } from './frame.js';
import { Documents } from './host.js';
import { know } from './letter.js';
import { Places, called } from './places.js';
import { SignInNeeded } from './session.js';
import { h } from './view.js';

const ID = 'postroom.document';
const MATTER = 'postroom.matter';

open(
  (app) => {
    const { port, texts, server, session, jobs, frame, tell } = app;

    const look = async () => {
      const { signal } = new AbortController();
      try {
        await show(signal);
      } catch (error) {
        const needed = error instanceof SignInNeeded;
        const button = h('button', { type: 'button' }, texts.say(needed ? 'common.sign_in' : 'common.retry'));
        button.addEventListener('click', () => (needed ? session.signIn().then(look, () => {}) : look()));
        frame.show(h('h1', {}, texts.say('addin.error_title')), h('p', { role: 'alert' }, needed ? texts.say('addin.sign_in_again') : refusal(texts, error)), h('p', { class: 'actions' }, button));
      }
    };

    /** @param {AbortSignal} signal */
    const show = async (signal) => {
      const { name } = await port.name();
      frame.show(h('h1', { class: 'subject' }, name), h('p', { class: 'loading' }, texts.say('addin.loading')));
      const known = await know(app, [], signal);
      const before = port.remembered(MATTER);
      const filedAs = port.remembered(ID);
      const cards = new Cards({ texts, parts: false, only: true });
      const lower = deed({ texts, press });
      const places = new Places({ texts, server, shelf: known.shelf, chosen: () => cards.ids, tell });
      cards.addEventListener('change', () => {
        lower.wrong('');
        places.refresh();
      });
      cards.addEventListener('emptied', () => places.input?.focus());
      places.addEventListener('pick', (event) => {
        const it = /** @type {CustomEvent} */ (event).detail;
        tell(texts.say(cards.toggle(it) ? 'addin.chosen_now' : 'addin.chosen_gone', { matter: called(it) }));
      });
      if (before?.work_item) cards.add({ open: true, bookmarked: false, reasons: [], client: '', reference: '', title: '', ...before });
      lower.label(texts.say(filedAs ? 'addin.word_again' : 'addin.file'));
      const words = texts.say(filedAs ? 'addin.word_version' : 'addin.word_why');
      const section = h('section', { 'aria-label': texts.say('addin.chosen_title') }, cards.element, lower.form);
      const whole = h('div', { class: 'choice' }, section, places.element);
      const top = [h('h1', { class: 'subject' }, name), h('p', { class: 'small' }, words)];
      frame.show(...top, whole);

      /** @param {string} note */
      async function press(note) {
        const [matter] = cards.places;
        if (!matter) {
          lower.wrong(texts.say('addin.choose_first'));
          places.input?.focus();
          return;
        }
        lower.button.disabled = true;
        const id = typeof filedAs === 'string' && filedAs ? filedAs : crypto.randomUUID();
        try {
          // The id first: a document that went out under an id that it does not have would become another one next time.
          await port.remember(ID, id);
          await port.remember(MATTER, { work_item: matter.work_item, reference: matter.reference, title: matter.title, client: matter.client });
        } catch (error) {
          lower.wrong(refusal(texts, error));
          lower.button.disabled = false;
          return;
        }
        const meta = { work_item: matter.work_item, subject: name, note, document: id, save_mode: 'keep_linked' };
        const another = h('button', { type: 'button', class: 'quiet' }, texts.say('addin.word_more'));
        another.addEventListener('click', () => look().then(() => frame.focus()));
        /** @type {import('./jobs.js').Work} */
        const work = {
          path: 'intakes',
          subject: name,
          meta,
          places: [called(matter)],
          id,
          bytes: (told) => port.file(told),
          fileName: name,
          mediaType: 'application/octet-stream',
          watch: (job) => {
            frame.show(...top, h('p', { class: 'actions' }, another));
            job.addEventListener('change', () => {
              if (job.state !== 'refused') return;
              lower.button.disabled = false;
              frame.show(...top, whole);
            });
          },
        };
        app.follow(jobs.start(work));
      }
    };
    return look();
  },
  (port) => port instanceof Documents,
);
