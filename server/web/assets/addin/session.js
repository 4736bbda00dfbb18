// Who files: a token that Office's dialog brings, kept for as long as it lasts and may be kept.

/** What the browser keeps for us. In a frame of another site it may keep nothing: then it is kept for as long as the pane is open. */
export class Memory {
  /** @type {Map<string, string>} */
  #here = new Map();

  /** @param {string} partition */
  constructor(partition) {
    this.front = `${partition}postroom/`;
  }

  /** @param {string} name @returns {any} */
  read(name) {
    let text = this.#here.get(name) ?? null;
    try {
      text ??= localStorage.getItem(this.front + name);
    } catch {
      // Not allowed here.
    }
    try {
      return text === null ? null : JSON.parse(text);
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {any} value */
  write(name, value) {
    const text = JSON.stringify(value);
    this.#here.set(name, text);
    try {
      localStorage.setItem(this.front + name, text);
    } catch {
      // Not allowed here, or full.
    }
  }

  /** @param {string} name */
  forget(name) {
    this.#here.delete(name);
    try {
      localStorage.removeItem(this.front + name);
    } catch {
      // It was not there.
    }
  }

  /** @param {string} front @returns {string[]} */
  names(front) {
    const names = new Set(this.#here.keys());
    try {
      for (const name of Object.keys(localStorage)) if (name.startsWith(this.front)) names.add(name.slice(this.front.length));
    } catch {
      // Not allowed here.
    }
    return [...names].filter((it) => it.startsWith(front));
  }
}

/** A person has to sign in first; the dialog did not bring a token. */
export class SignInNeeded extends Error {}

/** The sign-in. Tells `change` when somebody signed in or out. */
export class Session extends EventTarget {
  /** @type {Promise<void> | null} */
  #underWay = null;

  /** @param {import('./host.js').Outlook | import('./host.js').Documents} port @param {Memory} memory */
  constructor(port, memory) {
    super();
    this.port = port;
    this.memory = memory;
    this.kept = memory.read('token');
  }

  /** The token, while there is one that lasts. @returns {string | null} */
  get token() {
    const kept = this.kept;
    return kept?.token && Date.parse(kept.expires) > Date.now() ? String(kept.token) : null;
  }

  get person() {
    return String(this.kept?.person ?? '');
  }

  /** Opens the dialog, once for all who wait. */
  signIn() {
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #ask() {
    let message;
    try {
      message = JSON.parse(await this.port.dialog(`${location.origin}/auth/dialog`));
    } catch {
      throw new SignInNeeded();
    }
    if (message?.kind !== 'postroom-token' || message.version !== 1) throw new SignInNeeded();
    this.kept = { token: String(message.token), expires: String(message.expires), person: String(message.person) };
    this.memory.write('token', this.kept);
    this.dispatchEvent(new Event('change'));
  }

  /** The token is not taken any more. @param {string} token */
  drop(token) {
    if (this.kept?.token !== token) return;
    this.kept = null;
    this.memory.forget('token');
  }

  /** Leaves nothing of the person here. */
  signOut() {
    this.kept = null;
    for (const name of this.memory.names('')) this.memory.forget(name);
    this.dispatchEvent(new Event('change'));
  }

  /** When somebody is signed in. @returns {Promise<void>} */
  signedIn() {
    return new Promise((done) => {
      const look = () => {
        if (!this.token) return;
        this.removeEventListener('change', look);
        done();
      };
      this.addEventListener('change', look);
      look();
    });
  }
}
