// Nothing is open: the matters at hand, and what became of what the person filed.

import { filingLine, refusal } from './activity.js';
import { Places } from './places.js';
import { fill, h, unique } from './view.js';

/** So many of the person's filings are shown. */
const FILINGS = 20;

/** @param {import('./frame.js').App} app @param {import('./places.js').Shelf} shelf @param {AbortSignal} signal @param {string} [instead] what stands in place of "nothing is open" */
export async function showHome(app, shelf, signal, instead) {
  const { texts, server, frame, tell } = app;
  const title = unique('filings');
  const list = h('ul', { class: 'filings' });
  const state = h('p', { class: 'small' }, texts.say('addin.loading'));
  const again = h('button', { type: 'button', class: 'quiet small-button' }, texts.say('addin.look_again'));
  const filings = h('section', { 'aria-labelledby': title }, h('div', { class: 'head' }, h('h2', { id: title }, texts.say('addin.my_filings')), again), state, list);
  const places = new Places({ texts, server, shelf, tell });
  frame.show(h('h1', {}, texts.say('addin.home_title')), h('p', {}, instead ?? texts.say('addin.home_none')), places.element, filings);

  const load = async () => {
    const [filed, sent] = await Promise.all([
      server.askUntil('GET', `/filings?own=true&limit=${FILINGS}`, { signal }, frame.trouble),
      server.askUntil('GET', '/send-intents', { signal }, frame.trouble),
    ]);
    // What was sent and taken in stands among the filings.
    const toSend = sent.items.filter((/** @type {any} */ it) => it.state !== 'taken');
    state.textContent = filed.items.length + toSend.length === 0 ? texts.say('addin.my_filings_none') : '';
    fill(list, ...toSend.map((/** @type {any} */ it) => intent(it)), ...filed.items.map((/** @type {any} */ it) => row(it)));
  };
  /** A choice for a message that was not found among the sent ones: what to do about it, where it failed. @param {any} it */
  const intent = (it) => {
    const name = it.subject || texts.say('addin.no_subject');
    const failed = it.state === 'failed';
    const done = h('button', { type: 'button', class: 'quiet small-button' }, texts.say('addin.put_away'), h('span', { class: 'hidden' }, ` ${name}`));
    done.addEventListener('click', async () => {
      done.disabled = true;
      try {
        await server.ask('DELETE', `/send-intents/${it.id}`);
        await load();
      } catch (error) {
        if (!signal.aborted) tell(refusal(texts, error));
        done.disabled = false;
      }
    });
    return h(
      'li',
      { 'data-state': failed ? 'failed' : 'waiting' },
      h('span', { class: 'filing-name' }, name),
      ' ',
      h('span', { class: `state-word ${failed ? 'bad' : ''}` }, texts.say(failed ? 'addin.sent_failed' : 'addin.sent_waits')),
      it.why && h('span', { class: 'cause' }, it.why),
      failed && done,
      h('span', { class: 'small when' }, texts.time(it.made)),
    );
  };
  const row = (/** @type {any} */ it) => {
    const retry = async () => {
      await server.ask('POST', `/filings/${it.id}/retry`, { headers: { 'if-match': `"${it.version}"` }, json: {} });
      await load();
    };
    const line = filingLine(it, app, retry);
    line.append(h('span', { class: 'small when' }, texts.time(it.received)));
    return line;
  };
  again.addEventListener('click', async () => {
    try {
      await load();
      tell(texts.say('addin.looked'));
    } catch (error) {
      if (!signal.aborted) tell(refusal(texts, error));
    }
  });
  await load();
}
