// The pane in Outlook: shows what fits what is open, and again when something else is.

import { showCompose } from './compose.js';
import { open } from './frame.js';
import { showHome } from './home.js';
import { Outlook } from './host.js';
import { goOn, know, showLetter } from './letter.js';
import { refusal } from './activity.js';
import { showSeveral } from './several.js';
import { SignInNeeded } from './session.js';
import { h } from './view.js';

/** Outlook tells of one change by several events. */
const TOGETHER_MS = 60;

open(
  (app) => {
    const { port, frame, session, texts } = app;
    let present = new AbortController();
    let timer = 0;

    const look = async () => {
      // What is still asked for the last message is of no interest any more.
      present.abort();
      present = new AbortController();
      const { signal } = present;
      frame.trouble(null);
      try {
        const { mode, item, messages } = await port.look();
        if (signal.aborted) return;
        if (mode === 'read') await showLetter(app, item, signal);
        else if (mode === 'compose') await showCompose(app, item, signal);
        else if (mode === 'several') await showSeveral(app, messages, signal);
        else {
          const known = await know(app, [], signal);
          if (signal.aborted) return;
          goOn(app, null, known.fetches);
          await showHome(app, known.shelf, signal, mode === 'other' ? texts.say('addin.no_message') : undefined);
        }
      } catch (error) {
        if (!signal.aborted) await failed(error, signal);
      }
    };

    const failed = async (/** @type {unknown} */ error, /** @type {AbortSignal} */ signal) => {
      const needed = error instanceof SignInNeeded;
      const button = h('button', { type: 'button' }, texts.say(needed ? 'common.sign_in' : 'common.retry'));
      const title = texts.say(needed ? 'addin.sign_in_title' : 'addin.error_title', { installation: frame.installation });
      const why = needed ? texts.say('addin.sign_in_again') : refusal(texts, error);
      button.addEventListener('click', () => (needed ? session.signIn().catch(() => {}) : look()));
      frame.show(h('h1', {}, title), h('p', { role: 'alert' }, why), h('p', { class: 'actions' }, button));
      if (!needed) return;
      await session.signedIn();
      if (!signal.aborted) look();
    };

    port.onChange(() => {
      clearTimeout(timer);
      timer = /** @type {any} */ (setTimeout(look, TOGETHER_MS));
    });
    return look();
  },
  (port) => port instanceof Outlook,
);
