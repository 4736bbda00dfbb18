// Handing documents in: by choosing and dropping, with pauses, lost connections and a page loaded anew; and tables of data.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import * as tus from 'tus-js-client';

import { isAccessible } from './support/axe.js';
import { button, comeIn, field, isNoPage, press, refusal, sees, send } from './support/doing.js';
import { stage } from './support/scenes.js';
import { shot } from './support/shots.js';

const scene = stage();

/** Larger than three pieces. */
const LARGE = Buffer.alloc(26 * 1024 * 1024, 'Postroom ');
const file = (name, buffer = Buffer.from(`%PDF-1.7\n% ${name}\n%%EOF\n`)) => ({ name, mimeType: 'application/pdf', buffer });
const row = (page, name) => page.locator('#uploads li', { hasText: name });
const state = (page, name) => row(page, name).locator('[data-part="state"]');

/** Waits until an upload says so. */
async function says(page, name, words) {
  await state(page, name).filter({ hasText: words }).waitFor({ timeout: 60_000 });
}

/** What was handed in last, as the server has it. */
async function latest(page) {
  return page.evaluate(async () => (await (await fetch('/api/v1/intakes?limit=1')).json()).items[0]);
}

async function original(page, id) {
  const answer = await page.request.get(`/api/v1/intakes/${id}/original`);
  return createHash('sha256').update(await answer.body()).digest('hex');
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function look(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [size, viewport] of [['1280', { width: 1280, height: 800 }], ['320', { width: 320, height: 568 }]]) {
      await page.setViewportSize(viewport);
      await isAccessible(page, `${name}, ${colorScheme}, ${size}`);
      await shot(page, `${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'no-preference', forcedColors: 'active' });
  await isAccessible(page, `${name}, high contrast`);
  await page.emulateMedia({ forcedColors: 'none' });
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Drops files on the page, as a person does from a folder. */
async function drop(page, files) {
  const data = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, text } of list) transfer.items.add(new File([text], name, { type: 'application/pdf' }));
    return transfer;
  }, files);
  await page.dispatchEvent('#drop', 'dragover', { dataTransfer: data });
  assert.ok(await page.locator('#drop.over').count(), 'the place to drop is marked');
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
}

scene('documents are chosen and dropped, and their matter is found by its title', async ({ world, open }) => {
  const boss = await open();
  await comeIn(world, boss, 'boss@firm.example', '--admin', '--name', 'Bea Boss');
  const made = await boss.evaluate(async () => {
    const body = JSON.stringify({ reference: '10442-0007', title: 'Harrow v Teal', work_type: 'matter/litigation' });
    const answer = await fetch('/api/v1/work-items', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return answer.status;
  });
  assert.equal(made, 201);

  const page = await open();
  await comeIn(world, page, 'mary@firm.example', '--name', 'Mary Lamb');
  await page.getByRole('navigation').getByRole('link', { name: 'Hand in' }).click();
  await sees(page, 'Hand in documents');
  await look(page, 'upload');
  await field(page, 'Work item').fill('harrow');
  await page.getByText('1 work items fit.').waitFor();
  assert.equal(await page.locator('#work-items option').getAttribute('label'), '10442-0007 – Harrow v Teal');
  await field(page, 'Work item').fill('10442-0007');
  await page.getByText('Harrow v Teal', { exact: true }).waitFor();
  await field(page, 'Documents').setInputFiles([file('letter.pdf'), file('empty.pdf', Buffer.alloc(0))]);
  await drop(page, [{ name: 'dropped.pdf', text: '%PDF-1.7 dropped' }]);
  await says(page, 'empty.pdf', 'It has no bytes.');
  await says(page, 'dropped.pdf', 'Ready to be handed in.');
  await look(page, 'upload-ready');
  await press(page, 'Hand in');
  // Nothing files in this world: both wait for a person, who is told why.
  for (const name of ['letter.pdf', 'dropped.pdf']) await says(page, name, /^It is in\. A person decides/);
  await look(page, 'upload-done');
  const { items } = await page.evaluate(async () => (await fetch('/api/v1/intakes')).json());
  assert.deepEqual(items.map((it) => it.documents[0].file_name).sort(), ['dropped.pdf', 'letter.pdf']);
  assert.ok(items.every((it) => it.work_item_given === '10442-0007' && it.submitted_by === 'mary@firm.example'));
  assert.equal(await page.evaluate(() => localStorage.length), 0, 'nothing is remembered of what is in');
});

scene('a lost connection, a pause and a page loaded anew lose nothing', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'large@firm.example', '--name', 'Lara Large');
  await page.goto('/upload');
  // The second piece is lost on its way, twice; nobody presses anything.
  let pieces = 0;
  await page.route('**/api/v1/uploads/*', (route) => {
    if (route.request().method() !== 'PATCH') return route.continue();
    pieces += 1;
    return [2, 3].includes(pieces) ? route.abort('connectionreset') : route.continue();
  });
  await field(page, 'Documents').setInputFiles(file('large.pdf', LARGE));
  await press(page, 'Hand in');
  await says(page, 'large.pdf', /^The connection is gone\. 3\d % is in/);
  await look(page, 'upload-waiting');
  await says(page, 'large.pdf', /^It is in\. A person decides/);
  assert.equal(await original(page, (await latest(page)).id), sha256(LARGE));
  await page.unroute('**/api/v1/uploads/*');

  // Held at its second piece: paused, and the page is loaded anew.
  const other = Buffer.concat([LARGE, Buffer.from('another')]);
  await page.route('**/api/v1/uploads/*', (route) => {
    const late = route.request().headers()['upload-offset'] !== '0';
    return route.request().method() === 'PATCH' && late ? undefined : route.continue();
  });
  await field(page, 'Documents').setInputFiles(file('paused.pdf', other));
  await press(page, 'Hand in');
  await says(page, 'paused.pdf', /^3\d % is in/);
  await press(page, /^Pause/);
  await says(page, 'paused.pdf', /^Paused\. 3\d % of it is in/);
  assert.ok(await button(page, /^Go on/).evaluate((it) => it === document.activeElement), 'the focus stays');
  await page.unroute('**/api/v1/uploads/*');
  await page.reload();
  await page.getByRole('heading', { name: 'Not finished yet' }).waitFor();
  assert.match(await page.locator('#unfinished-list').innerText(), /^paused\.pdf$/);
  await look(page, 'upload-unfinished');
  const begun = [];
  page.on('request', (it) => it.method() === 'POST' && begun.push(it.url()));
  // A file of the same name, size and date is the same one. The date of a file made here is the present: it is set back.
  await page.evaluate(() => {
    const date = Number(Object.keys(localStorage)[0].split('/').at(-1));
    Object.defineProperty(File.prototype, 'lastModified', { get: () => date });
  });
  await field(page, 'Documents').setInputFiles(file('paused.pdf', other));
  // Nobody presses anything.
  await says(page, 'paused.pdf', /^It is in\. A person decides/);
  assert.equal(await original(page, (await latest(page)).id), sha256(other));
  assert.deepEqual(begun, [], 'it went on with the same upload');
});

scene('what is given up is gone, and what the server refuses is told', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'gone@firm.example', '--name', 'Gil Gone');
  await page.goto('/upload');
  await page.route('**/api/v1/uploads', (route) =>
    route.fulfill({ status: 200, contentType: 'application/json', body: '{"detail": "Not today."}' }),
  );
  await field(page, 'Documents').setInputFiles(file('refused.pdf'));
  await press(page, 'Hand in');
  await says(page, 'refused.pdf', 'Not today.');
  await page.unroute('**/api/v1/uploads');
  await press(page, /^Give up/);
  await row(page, 'refused.pdf').waitFor({ state: 'detached' });
  assert.ok(await field(page, 'Documents').evaluate((it) => it === document.activeElement));
  assert.equal(await page.locator('#list').isVisible(), false);
});

scene('without scripts a form does', async ({ world, open }) => {
  const page = await open({ javaScriptEnabled: false });
  await comeIn(world, page, 'plain2@firm.example');
  await page.goto('/upload');
  await field(page, 'Work item').fill('10442-0007');
  await field(page, 'Documents').setInputFiles([file('one.pdf'), file('two.pdf')]);
  await press(page, 'Hand in');
  await page.getByRole('heading', { name: 'Taken in' }).waitFor();
  assert.match(await page.locator('main').innerText(), /one\.pdf\s+two\.pdf\s+A person decides/);
  await field(page, 'Documents').setInputFiles(file('empty.pdf', Buffer.alloc(0)));
  await press(page, 'Hand in');
  assert.match(await refusal(page), /^Part 1, "empty\.pdf", has no bytes\./);
});

/** The client that most pages use, against our server: what the protocol says is what both do. */
scene('an independent client of the protocol is served', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'tus@firm.example', '--name', 'Tess Tus');
  await page.goto('/account');
  await field(page, 'What is it for?').fill('another client');
  await press(page, 'Make the token');
  const headers = { authorization: `Bearer ${await page.locator('code.secret').innerText()}` };
  const upload = (options) =>
    new Promise((done, failed) => {
      const sent = new tus.Upload(LARGE, {
        endpoint: `${world.url}/api/v1/uploads`,
        headers,
        chunkSize: 5 * 1024 * 1024,
        retryDelays: [0, 100],
        metadata: { filename: 'by tus.pdf', filetype: 'application/pdf' },
        onError: failed,
        onSuccess: () => done(sent),
        ...options,
      });
      sent.start();
    });
  const { url } = await upload({});
  const answer = await fetch(url, { method: 'HEAD', headers: { ...headers, 'tus-resumable': '1.0.0' } });
  assert.equal(answer.headers.get('upload-offset'), String(LARGE.length));
  const original = await fetch(`${world.url}/api/v1/intakes/${answer.headers.get('upload-intake')}/original`, { headers });
  assert.equal(sha256(Buffer.from(await original.arrayBuffer())), sha256(LARGE));
  // All at once, with the first bytes in the creating request.
  await upload({ chunkSize: 7 * 1024 * 1024, uploadDataDuringCreation: true });
  await upload({ chunkSize: Infinity, overridePatchMethod: true });
  // Broken off by the client, and gone on with.
  const first = await new Promise((done, failed) => {
    const sent = new tus.Upload(LARGE, {
      endpoint: `${world.url}/api/v1/uploads`,
      headers,
      chunkSize: 5 * 1024 * 1024,
      onError: failed,
      onChunkComplete: () => sent.abort().then(() => done(sent)),
    });
    sent.start();
  });
  const gone = await upload({ uploadUrl: first.url });
  assert.equal(gone.url, first.url);
  await tus.Upload.terminate(gone.url, { headers });
});

scene('a table is looked at before it is loaded', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'tables@firm.example', '--admin', '--name', 'Tab Les');
  await page.goto('/admin/data-uploads');
  const table = (text) => ({ name: 'matters.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await field(page, 'The table').setInputFiles(table('Nr;Titel\n1;One\n'));
  await press(page, 'Hand in');
  assert.match(await refusal(page), /Columns of the mapping: "Matter No" is missing/);
  await look(page, 'data-uploads-mistake');
  await field(page, 'The table').setInputFiles(table('Matter No;Title;Open\nT-1;Tée;yes\nT-2;;yes\nT-3;=1+1;no\n'));
  await press(page, 'Hand in');
  await sees(page, 'matters.csv');
  await send(page, 'Show what it would do');
  const until = async (words) => {
    for (let looks = 0; looks < 100; looks += 1) {
      if (await page.getByRole('heading', { name: words, exact: true }).count()) return;
      await page.waitForTimeout(50);
      await page.goto(page.url());
    }
    assert.fail(`it never says ${words}`);
  };
  await until('All rows were looked at. Nothing is changed yet.');
  assert.match(await page.locator('dl').innerText(), /Would be made\s+2[\s\S]*Rejected\s+1/);
  assert.match(await page.locator('table').innerText(), /3\s+T-2\s+Title\s+must not be blank/);
  await look(page, 'data-upload-checked');
  await send(page, 'Load it');
  await until('Loaded.');
  assert.match(await page.locator('dl').innerText(), /Made\s+2/);
  await look(page, 'data-upload-loaded');
  const result = await page.request.get(await page.getByRole('link', { name: 'The result of every row' }).getAttribute('href'));
  assert.match(await result.text(), /^\uFEFFrow,result,reference[\s\S]*\r\n3,rejected,T-2,,,Title,must not be blank\r\n/);
  await page.goto('/admin/data-uploads');
  await look(page, 'data-uploads');
  const unloaded = await page.request.get(await page.getByRole('link', { name: 'matters', exact: true }).getAttribute('href'));
  assert.match(await unloaded.text(), /T-3,'=1\+1,no\r\n/);

  const person = await open();
  await comeIn(world, person, 'notables@firm.example');
  await isNoPage(person, '/admin/data-uploads');
});
