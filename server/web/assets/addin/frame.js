// What stands around every pane: the language, the sign-in, what is told to those who do not see, and the way out.

import { activity } from './activity.js';
import { connect } from './host.js';
import { Jobs } from './jobs.js';
import { Server } from './server.js';
import { Memory, Session } from './session.js';
import { Texts, fill, h } from './view.js';

/** The languages that there are texts in. */
const LANGUAGES = ['en', 'de'];

/**
 * What every view works with.
 * @typedef {object} App
 * @property {any} port
 * @property {Texts} texts
 * @property {Memory} memory
 * @property {Session} session
 * @property {Server} server
 * @property {Jobs} jobs
 * @property {Frame} frame
 * @property {(text: string) => void} tell
 * @property {(job: import('./jobs.js').Job) => void} follow brings a job into sight, and the focus to it
 */

class Frame {
  /** @param {HTMLElement} main @param {Texts} texts */
  constructor(main, texts) {
    this.installation = main.dataset.installation ?? '';
    this.texts = texts;
    this.main = main;
    this.told = h('p', { class: 'hidden', role: 'status' });
    this.connection = h('p', { class: 'notice waiting', role: 'status', hidden: true });
    this.activity = h('div', {});
    this.view = h('div', { class: 'view' });
    this.foot = h('footer', { class: 'foot' });
    main.replaceChildren(this.connection, this.activity, this.view);
    main.after(this.foot, this.told);
  }

  /** Says it to those who do not see the page. @param {string} text */
  tell = (text) => {
    this.told.textContent = text;
  };

  /** Shows another view. @param {(Node | null | false)[]} parts */
  show(...parts) {
    fill(this.view, ...parts);
  }

  focus() {
    this.main.focus();
  }

  /** That there is no connection, or that it is back. @param {any} trouble */
  trouble = (trouble) => {
    this.connection.hidden = !trouble;
    const key = trouble?.status ? 'addin.busy' : 'addin.offline';
    this.connection.textContent = trouble ? this.texts.say(key, { installation: this.installation }) : '';
  };

  /** @param {Session | null} session */
  drawFoot(session) {
    const { texts } = this;
    const help = h('a', { href: `/addin/help?lang=${texts.language}`, target: '_blank', rel: 'noopener' }, texts.say('common.help'));
    const out = session?.token && h('button', { type: 'button', class: 'quiet small-button' }, texts.say('addin.sign_out'));
    if (out) out.addEventListener('click', () => session?.signOut());
    fill(this.foot, session?.token ? h('span', { class: 'who' }, session.person) : null, help, out);
  }
}

/** The texts in Office's language, which wins over the browser's. @param {HTMLElement} main @param {string} wanted */
async function textsFor(main, wanted) {
  const table = JSON.parse(main.dataset.texts ?? '{}');
  const language = document.documentElement.lang;
  const primary = wanted.split('-')[0].toLowerCase();
  if (primary === language || !LANGUAGES.includes(primary)) return new Texts(table, language, wanted);
  try {
    const answer = await fetch(`/addin/texts/${primary}.json`, { credentials: 'omit' });
    if (!answer.ok) return new Texts(table, language, wanted);
    const other = await answer.json();
    document.documentElement.lang = primary;
    return new Texts(other, primary, wanted);
  } catch {
    return new Texts(table, language, wanted);
  }
}

/** Waits until somebody is signed in, and offers to. @param {App} app */
async function signedIn({ frame, texts, session, tell }) {
  frame.drawFoot(session);
  if (session.token) return;
  const mistake = h('p', { class: 'mistake', role: 'alert' });
  const button = h('button', { type: 'button' }, texts.say('common.sign_in'));
  button.addEventListener('click', async () => {
    button.disabled = true;
    mistake.textContent = '';
    try {
      await session.signIn();
    } catch {
      mistake.textContent = texts.say('addin.sign_in_failed');
    }
    button.disabled = false;
  });
  const name = { installation: frame.installation };
  frame.show(h('h1', {}, texts.say('addin.sign_in_title', name)), h('p', {}, texts.say('addin.sign_in_why', name)), h('p', { class: 'actions' }, button), mistake);
  await session.signedIn();
  tell(texts.say('addin.signed_in', { person: session.person }));
}

/** Opens the pane in the host that `fits`. @param {(app: App) => Promise<void> | void} start @param {(port: any) => boolean} fits */
export async function open(start, fits) {
  const main = /** @type {HTMLElement} */ (document.getElementById('pane'));
  const port = await connect();
  const texts = await textsFor(main, port?.language ?? '');
  const frame = new Frame(main, texts);
  const name = { installation: frame.installation };
  document.title = frame.installation;
  if (port === null || !fits(port)) {
    const link = h('a', { href: `/addin/help?lang=${texts.language}` }, texts.say('addin.no_host_link'));
    frame.show(h('h1', {}, texts.say('addin.no_host_title')), h('p', {}, texts.say('addin.no_host', name)), h('p', {}, link));
    return;
  }
  const memory = new Memory(port.partition);
  const session = new Session(port, memory);
  const server = new Server(session);
  const jobs = new Jobs(server, session, memory);
  /** @type {App} */
  const app = { port, texts, memory, session, server, jobs, frame, tell: frame.tell, follow: () => {} };
  const cards = activity(app);
  app.follow = cards.focus;
  frame.activity.append(cards.section);
  // Where somebody signed out nothing of theirs may stay on the page.
  session.addEventListener('change', () => (session.token ? frame.drawFoot(session) : location.reload()));
  await signedIn(app);
  await start(app);
}

export { Frame };
