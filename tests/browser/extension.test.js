// The browser extension as the command packages it, in Chromium, over pages that imitate the DMSs' addresses. Needs no server: what is
// tried is which address of Postroom it opens.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { isAccessible } from './support/axe.js';
import { BASE, Browser, ID, manifestOf, packages, permitted } from './support/extension.js';
import { folder, lay } from './support/packages.js';
import { SHOTS } from './support/shots.js';

const I = 'https://dms.firm.example/work/link';
const N = 'https://eu.netdocuments.com/neWeb2/goid.aspx';
const H = 'https://collab.firm.example/collab/documentHome.action';
const ENTRIES = ['send-page', 'launch-page', 'send-link', 'launch-link'];

const names = (page) => page.getByRole('button').allInnerTexts();
const told = (page) => page.getByRole('status').innerText();

test('the package starts, has the id of its key, and may do no more than its manifest says', async (t) => {
  const { chrome } = await packages(t);
  const browser = await Browser.start(t, chrome.files);
  assert.equal(browser.id, ID);
  assert.equal(chrome.id, ID);

  const manifest = manifestOf(chrome.files);
  const may = await browser.worker.evaluate(() => globalThis.chrome.permissions.getAll());
  assert.deepEqual(may.permissions.sort(), ['activeTab', 'contextMenus', 'scripting', 'storage']);
  assert.deepEqual(may.permissions.sort(), manifest.permissions);
  assert.deepEqual(may.origins, []);
  assert.deepEqual(manifest.optional_host_permissions, ['https://collab.firm.example/*', 'https://*.highq.com/*']);

  // Each entry is there, and no other: one that is not cannot be changed.
  const there = (id) =>
    browser.worker.evaluate((it) => globalThis.chrome.contextMenus.update(it, {}).then(() => true, () => false), id);
  for (const id of ENTRIES) assert.ok(await there(id), id);
  assert.ok(!(await there('send-selection')));

  // It cannot send anything itself, wherever to.
  for (const url of [`${BASE}/api/v1/me`, 'https://elsewhere.example/']) {
    assert.ok(await browser.worker.evaluate((it) => fetch(it).then(() => false, () => true), url), url);
  }
  browser.sound();
});

test('each entry of the menu opens exactly its address of Postroom', async (t) => {
  const { chrome } = await packages(t);
  const browser = await Browser.start(t, chrome.files);
  const table = [
    ['send-page', { pageUrl: `${I}/d/ACTIVE!4711.2` }, '/send-to/dms?doc=ACTIVE!4711.2'],
    ['launch-page', { pageUrl: `${I}/f/ACTIVE!987` }, '/launch/dms?folder=ACTIVE!987'],
    ['send-link', { linkUrl: `${N}?id=4814-0621-9041&open=Y` }, '/send-to/nd?doc=4814-0621-9041'],
    ['launch-link', { linkUrl: `${N}?id=4814-0621-9041` }, '/launch/nd?folder=4814-0621-9041'],
    ['send-page', { pageUrl: `${H}?metaData.siteID=12&metaData.documentID=868` }, '/send-to/collab?doc=868'],
    ['launch-page', { pageUrl: `${H}?metaData.siteID=12&metaData.parentFolderID=345` }, '/launch/collab?folder=345'],
    // What the link names, and not the page that it is on.
    ['send-link', { pageUrl: `${I}/d/ACTIVE!1.1`, linkUrl: `${I}/d/ACTIVE!2.1` }, '/send-to/dms?doc=ACTIVE!2.1'],
  ];
  for (const [entry, click, wanted] of table) {
    const page = await browser.menu(entry, click);
    assert.equal(page.url(), BASE + wanted, entry);
    const windows = await browser.worker.evaluate(() => globalThis.chrome.windows.getAll());
    const small = windows.filter((it) => it.type === 'popup').map(({ width, height }) => ({ width, height }));
    assert.deepEqual(small, [{ width: 416, height: 340 }], entry);
    await page.close();
  }
  // In a tab, where a person wants it so.
  await browser.worker.evaluate(() => globalThis.chrome.storage.local.set({ view: 'tab' }));
  const page = await browser.menu(...table[0]);
  assert.equal(page.url(), BASE + table[0][2]);
  const windows = await browser.worker.evaluate(() => globalThis.chrome.windows.getAll());
  assert.ok(windows.every((it) => it.type === 'normal'));
  browser.sound(...table.map(([, , wanted]) => BASE + wanted));
});

test('where an entry can open nothing, it says why, and asks nothing of the web', async (t) => {
  const { chrome } = await packages(t);
  const browser = await Browser.start(t, chrome.files);
  const table = [
    ['send-page', { pageUrl: 'https://elsewhere.example/?<script>alert(1)</script>' }, 'This is no document or folder that Postroom knows.'],
    ['send-link', { linkUrl: 'javascript:alert(1)' }, 'This is no document or folder that Postroom knows.'],
    ['send-link', { linkUrl: `${I}/f/ACTIVE!987` }, 'This names a folder, not a document.'],
    ['launch-page', { pageUrl: `${I}/d/ACTIVE!1.1` }, 'This names a document, not a folder.'],
  ];
  for (const [entry, click, wanted] of table) {
    const page = await browser.menu(entry, click);
    assert.equal(await told(page), wanted, entry);
    assert.deepEqual(await names(page), []);
    await page.close();
  }
  browser.sound();
});

test('the button offers what the page names, and opens exactly that', async (t) => {
  const { chrome } = await packages(t);
  const browser = await Browser.start(t, chrome.files);
  const send = 'Send this document';
  const launch = 'Start from this folder';
  const table = [
    [`${I}/d/ACTIVE!4711.2`, 'Found in dms.', [[send, '/send-to/dms?doc=ACTIVE!4711.2']]],
    [`${I}/w/ACTIVE!3670`, 'Found in dms.', [[launch, '/launch/dms?folder=ACTIVE!3670']]],
    [`${N}?id=4814-0621-9041`, 'Found in nd.', [[send, '/send-to/nd?doc=4814-0621-9041'], [launch, '/launch/nd?folder=4814-0621-9041']]],
  ];
  const visited = [];
  for (const [address, wanted, actions] of table) {
    for (const [name, path] of actions) {
      const popup = await browser.button(address);
      await popup.getByRole('button').first().waitFor();
      assert.equal(await told(popup), wanted);
      assert.deepEqual(await names(popup), actions.map(([it]) => it), address);
      // Enter is enough: what is likely meant has the cursor.
      assert.equal(await popup.evaluate(() => document.activeElement.textContent), actions[0][0]);
      const gone = popup.waitForEvent('close');
      const page = await browser.opens(() => popup.getByRole('button', { name }).click());
      assert.equal(page.url(), BASE + path);
      await gone;
      await page.close();
      visited.push(address, BASE + path);
    }
  }
  browser.sound(...visited);
});

test('on an unknown page the button says so and offers nothing, and a hostile title is text', async (t) => {
  const { chrome } = await packages(t);
  const browser = await Browser.start(t, chrome.files);
  const popup = await browser.button('https://elsewhere.example/');
  await popup.getByText('This is no document or folder that Postroom knows.').waitFor();
  assert.deepEqual(await names(popup), []);
  assert.equal(await popup.locator('#title').innerText(), '<img src=x onerror="alert(document.domain)"><b>bold</b>');
  assert.equal(await popup.locator('main img, main b').count(), 0);
  await popup.screenshot({ path: join(SHOTS, 'extension-unknown.png') });
  browser.sound('https://elsewhere.example/');
});

test('ticked rows of a list in HighQ are sent together; where they cannot be seen, the one host is asked for', async (t) => {
  const { chrome } = await packages(t);
  const folderPage = `${H}?metaData.siteID=12&metaData.parentFolderID=345`;
  const both = `${BASE}/send-to/collab?doc=868&doc=870`;

  const allowed = await Browser.start(t, permitted(chrome.files, 'https://collab.firm.example/*'));
  const popup = await allowed.button(folderPage);
  await popup.getByRole('button').first().waitFor();
  assert.deepEqual(await names(popup), ['Send 2 documents', 'Start from this folder']);
  await popup.screenshot({ path: join(SHOTS, 'extension-ticked.png') });
  const page = await allowed.opens(() => popup.getByRole('button', { name: 'Send 2 documents' }).click());
  assert.equal(page.url(), both);
  await page.close();
  const tabId = await allowed.worker.evaluate(async (url) => (await globalThis.chrome.tabs.query({ url }))[0].id, `${H}*`);
  const again = await allowed.menu('send-page', { pageUrl: folderPage, tabId });
  assert.equal(again.url(), both);
  allowed.sound(folderPage, both);

  const stranger = await Browser.start(t, chrome.files);
  const shut = await stranger.button(folderPage);
  await shut.getByRole('button').first().waitFor();
  const ask = 'Allow Postroom to see ticked rows on collab.firm.example';
  assert.deepEqual(await names(shut), ['Start from this folder', ask]);
  await shut.evaluate(() => {
    globalThis.chrome.permissions.request = async (it) => {
      globalThis.requested = it;
      return false;
    };
  });
  await shut.getByRole('button', { name: ask }).click();
  assert.deepEqual(await shut.evaluate(() => globalThis.requested), { origins: ['https://collab.firm.example/*'] });
  stranger.sound(folderPage);
});

test('the settings say where Postroom is and what happens with data; without a package for the firm one enters it', async (t) => {
  const { chrome } = await packages(t);
  const made = await Browser.start(t, chrome.files);
  const options = await made.own('options.html');
  await options.getByText(`This extension was made for your firm: ${BASE}`).waitFor();
  assert.equal(await options.getByLabel('Address').isVisible(), false);
  assert.deepEqual(await options.getByRole('listitem').allInnerTexts(), [
    'dms: dms.firm.example',
    'nd: eu.netdocuments.com',
    'collab: collab.firm.example',
  ]);
  await options.getByText('Nothing else leaves this browser').waitFor();
  await options.getByLabel('In a tab').check();
  await options.getByText('Saved.').waitFor();
  assert.deepEqual(await made.worker.evaluate(() => globalThis.chrome.storage.local.get()), { view: 'tab' });

  const bare = new Map([...chrome.files, ['config.js', Buffer.from("export default { baseUrl: '', services: [] };")]]);
  const browser = await Browser.start(t, bare);
  const popup = await browser.button(`${N}?id=4814-0621-9041`);
  await popup.getByText("It is not set yet where your firm's Postroom is.").waitFor();
  assert.deepEqual(await names(popup), ['Open the settings']);
  const notice = await browser.menu('send-link', { linkUrl: `${N}?id=4814-0621-9041` });
  assert.deepEqual(await names(notice), ['Open the settings']);
  const own = await browser.opens(() => notice.getByRole('button').click());
  await own.getByLabel('Address').fill('http://postroom.firm.example');
  await own.getByRole('button', { name: 'Save' }).click();
  await own.getByRole('alert').getByText('begins with https://').waitFor();
  await own.getByLabel('Address').fill(`${BASE}/upload`);
  await own.getByRole('button', { name: 'Save' }).click();
  await own.getByText('Saved.').waitFor();
  assert.equal(await own.getByLabel('Address').inputValue(), BASE);
  // Without services they are called by their kind.
  const page = await browser.menu('send-link', { linkUrl: `${N}?id=4814-0621-9041` });
  assert.equal(page.url(), `${BASE}/send-to/netdocuments?doc=4814-0621-9041`);
});

test('its pages are accessible, light and dark, and as narrow as they come', async (t) => {
  const { chrome } = await packages(t);
  const browser = await Browser.start(t, chrome.files);
  const pages = {
    button: await browser.button(`${N}?id=4814-0621-9041`),
    options: await browser.own('options.html'),
    notice: await browser.own('notice.html?why=unset'),
  };
  for (const [name, page] of Object.entries(pages)) {
    for (const colours of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, { forcedColors: 'active', colorScheme: 'dark' }]) {
      await page.emulateMedia({ forcedColors: 'none', ...colours });
      for (const [width, height] of [[320, 480], [400, 300], [1280, 800]]) {
        await page.setViewportSize({ width, height });
        const about = `${name}-${colours.forcedColors ? 'forced' : colours.colorScheme}-${width}`;
        await isAccessible(page, about);
        await page.screenshot({ path: join(SHOTS, `extension-${about}.png`), fullPage: true });
      }
    }
  }
});

test('it speaks German', async (t) => {
  const { chrome } = await packages(t);
  // Debian's Chromium speaks English unless more is installed; a package whose only language is German speaks that.
  const german = new Map(chrome.files);
  german.delete('_locales/en/messages.json');
  german.set('manifest.json', Buffer.from(JSON.stringify({ ...manifestOf(chrome.files), default_locale: 'de' })));
  const browser = await Browser.start(t, german);
  const popup = await browser.button(`${N}?id=4814-0621-9041`);
  await popup.getByRole('button').first().waitFor();
  assert.deepEqual(await names(popup), ['Dieses Dokument senden', 'Aus diesem Ordner starten']);
  assert.equal(await popup.locator('html').getAttribute('lang'), 'de');
  const keys = (files, language) => Object.keys(JSON.parse(files.get(`_locales/${language}/messages.json`)));
  assert.deepEqual(keys(chrome.files, 'de'), keys(chrome.files, 'en'));
});

test("Mozilla's linter finds no error in the package for Firefox", async (t) => {
  const { firefox } = await packages(t);
  const laid = await lay(firefox.files, await folder(t));
  const linter = new URL('./node_modules/web-ext/bin/web-ext.js', import.meta.url).pathname;
  const lint = promisify(execFile)('node', [linter, 'lint', '--source-dir', laid, '--output', 'json', '--no-config-discovery']);
  const { summary, warnings, errors } = JSON.parse((await lint.catch((error) => error)).stdout);
  assert.deepEqual(errors, []);
  // Firefox on telephones, which has no such menu, knows the word for "collects nothing" two versions later than that on desks.
  assert.deepEqual(warnings.map((it) => it.code), ['KEY_FIREFOX_ANDROID_UNSUPPORTED_BY_MIN_VERSION']);
  assert.equal(summary.notices, 0);
});
