// The packaged browser extension in Chromium, and pages that imitate the DMSs' addresses.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { folder, lay, unzip } from './packages.js';
import { run } from './programs.js';

/** Stands for Postroom, and keeps what it was asked for. Windows that the extension opens ask before a test could answer for a host. */
const asked = [];
const postroom = createServer((request, response) => {
  asked.push(BASE + request.url);
  response.setHeader('content-type', 'text/html');
  response.end('<title>Postroom</title><link rel="icon" href="data:,">');
});
postroom.listen(0, '127.0.0.1').unref();
await once(postroom, 'listening');
export const BASE = `http://127.0.0.1:${postroom.address().port}`;

export const SERVICES = [
  'imanage=dms=dms.firm.example',
  'netdocuments=nd=eu.netdocuments.com',
  'highq=collab=collab.firm.example',
];

/** A key of its own for each run, and the id that browsers make of it. */
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const DER = publicKey.export({ type: 'spki', format: 'der' });
export const ID = [...createHash('sha256').update(DER).digest('hex').slice(0, 32)]
  .map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)))
  .join('');

/** Writes both packages: their files, and what the command said of each. */
export async function packages(t, services = SERVICES) {
  const out = await folder(t);
  const key = join(out, 'key.pem');
  await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const named = services.flatMap((it) => ['--service', it]);
  const said = await run('postroom', 'addin', 'extension', '--base-url', BASE, '--key-file', key, '--out', out, '--json', ...named);
  const [chrome, firefox] = said.trim().split('\n').map((line) => JSON.parse(line));
  const files = async (name) => unzip(await readFile(join(out, name)));
  return {
    chrome: { ...chrome, files: await files('postroom-chrome.zip') },
    firefox: { ...firefox, files: await files('postroom-firefox.xpi') },
  };
}

export const manifestOf = (files) => JSON.parse(files.get('manifest.json'));

/** The same package with a right on hosts, as a click on the button gives it: no click of a person's can be made here. */
export function permitted(files, ...hosts) {
  const manifest = { ...manifestOf(files), host_permissions: hosts };
  return new Map([...files, ['manifest.json', Buffer.from(JSON.stringify(manifest))]]);
}

/** Pages by their addresses; whatever else is asked for is there and empty. */
const PAGES = {
  'https://collab.firm.example/collab/documentHome.action': `<title>Completion bundle</title><table>
    <tr><td><input type="checkbox" checked></td><td><a id="docid_868" siteid="12">a.pdf</a></td></tr>
    <tr><td><input type="checkbox"></td><td><a id="docid_869" siteid="12">b.pdf</a></td></tr>
    <tr><td><span role="checkbox" aria-checked="true"></span></td><td><a id="docid_870" siteid="12">c.pdf</a></td></tr>
    <tr><td><input type="checkbox" checked></td><td><a id="docid_1&amp;doc=2">evil</a></td></tr>
    <tr><td><input type="checkbox" checked></td><td><a id="docid_<img src=x onerror=alert(1)>">evil</a></td></tr></table>`,
  'https://elsewhere.example/': '<title>&lt;img src=x onerror="alert(document.domain)"&gt;&lt;b&gt;bold&lt;/b&gt;</title>',
};

/** Chromium with the extension in it. */
export class Browser {
  static async start(t, files) {
    const home = await lay(files, await folder(t));
    const context = await chromium.launchPersistentContext('', {
      executablePath: process.env.POSTROOM_CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      // Windows are as large as the extension makes them.
      viewport: null,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--lang=en-GB',
        `--disable-extensions-except=${home}`,
        `--load-extension=${home}`,
      ],
    });
    t.after(() => context.close());
    context.setDefaultTimeout(15_000);
    const browser = new Browser(context);
    // Everything else on the web is answered here, and told.
    asked.length = 0;
    await context.route(/^https:/, (route) => {
      const url = route.request().url();
      asked.push(url);
      const { origin, pathname } = new URL(url);
      return route.fulfill({ contentType: 'text/html', body: PAGES[origin + pathname] ?? '<title>A page</title>' });
    });
    context.on('console', (message) => {
      if (message.type() === 'error') browser.complaints.push(message.text());
    });
    context.on('weberror', (error) => browser.complaints.push(String(error.error())));
    browser.worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    // The menu is filled from top to bottom when the extension has been installed.
    await browser.worker.evaluate(
      () =>
        new Promise((filled) => {
          const look = () => globalThis.chrome.contextMenus.update('launch-link', {}).then(filled, () => setTimeout(look, 20));
          look();
        }),
    );
    return browser;
  }

  constructor(context) {
    this.context = context;
    this.complaints = [];
  }

  get id() {
    return new URL(this.worker.url()).host;
  }

  /** A page of the extension. */
  async own(name, prepare) {
    const page = await this.context.newPage();
    if (prepare) await page.addInitScript(prepare.script, prepare.value);
    await page.goto(`chrome-extension://${this.id}/${name}`);
    return page;
  }

  /** What the button shows over a page: it is opened in a tab, and told that the page's tab is the one in front. */
  async button(address) {
    const under = await this.context.newPage();
    await under.goto(address);
    const tab = await this.worker.evaluate(
      // Without a right on the host a tab's address is not told, so it is found by being the newest.
      async () => (await globalThis.chrome.tabs.query({})).reduce((one, other) => (one.id > other.id ? one : other)),
    );
    const title = await under.title();
    return this.own('popup.html', {
      // A click on the button would let the tab's address and title be seen.
      script: (it) => {
        globalThis.chrome.tabs.query = async () => [it];
      },
      value: { id: tab.id, url: address, title },
    });
  }

  /** An entry of the menu is clicked: the page that opens. */
  async menu(id, { pageUrl = 'https://elsewhere.example/', linkUrl, tabId = 1 } = {}) {
    const opened = this.context.waitForEvent('page');
    await this.worker.evaluate(
      ([info, tab]) => globalThis.chrome.contextMenus.onClicked.dispatch(info, tab),
      [{ menuItemId: id, pageUrl, linkUrl, editable: false }, { id: tabId, url: pageUrl }],
    );
    const page = await opened;
    await page.waitForURL((url) => url.protocol !== 'about:');
    return page;
  }

  /** What opens when something is done in a page. */
  async opens(act) {
    const opened = this.context.waitForEvent('page');
    await act();
    const page = await opened;
    await page.waitForURL((url) => url.protocol !== 'about:');
    return page;
  }

  /** Nothing else was asked of the web, and no page complained. */
  sound(...wanted) {
    assert.deepEqual([...new Set(asked)].sort(), [...new Set(wanted)].sort());
    assert.deepEqual(this.complaints, []);
  }
}
