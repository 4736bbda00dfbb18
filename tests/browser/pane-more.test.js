// The pane in Outlook where no single message is read: nothing, several, or one that is written; and the pane in Word.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';

import { OfficeMockObject } from 'office-addin-mock';

import { button, press } from './support/doing.js';
import { BIRCH, CEDAR, GONE, HARROW, LETTER, filing, pane, problem, suggested } from './support/pane.js';
import { stage } from './support/scenes.js';

const scene = stage();

const job = (page) => page.locator('.job').first();
const jobSays = (page, words) => job(page).getByText(words, { exact: true }).first().waitFor();
const cardOf = (page, place) => page.locator('section.chosen', { has: page.getByRole('heading', { name: new RegExp(place.title) }) });

scene('nothing selected: the matters at hand, and what became of what one filed', async (stage) => {
  const { page, api } = await pane(stage, {
    office: { item: null },
    prepare: (api) => {
      const cause = { code: 'workspace_missing', short: 'x', sentence: 'There is no workspace for the matter.', hint: '' };
      api.answers['GET /filings'] = [
        { body: { items: [filing('f-9', 'filed', { file_name: 'a.pdf' }), filing('f-8', 'failed', { file_name: 'b.pdf', cause })], next: null } },
        { body: { items: [filing('f-9', 'filed', { file_name: 'a.pdf' }), filing('f-8', 'waiting', { file_name: 'b.pdf' })], next: null } },
      ];
      const intent = { id: '0190a000-0000-7000-8000-000000000002', mailbox: 'mina@firm.example', work_items: ['L-1001'], made: '2026-11-27T09:00:00Z' };
      const failed = { ...intent, subject: 'Our offer', state: 'failed', why: 'the mailbox cannot be read; file the letter from the sent items' };
      const rest = [{ ...intent, id: 'b', subject: 'A draft', state: 'waiting', why: '' }, { ...intent, id: 'c', subject: 'Gone out', state: 'taken', why: '' }];
      api.answers['GET /send-intents'] = [{ body: { items: [failed, ...rest] } }, { body: { items: [failed, ...rest] } }, { body: { items: rest } }];
      api.answers['POST /filings/f-8/retry'] = { body: { filing: filing('f-8', 'waiting') } };
    },
  });
  await page.getByText('Select an e-mail to file it.').waitFor();
  await page.getByRole('heading', { name: 'Recent', exact: true }).waitFor();
  await page.getByRole('heading', { name: 'Bookmarked' }).waitFor();
  await page.getByText('There is no workspace for the matter.').waitFor();
  assert.deepEqual(api.calls.map((it) => [it.name, it.query, it.json]), [
    ['POST /letters/known', '', {}],
    ['GET /filings', '?own=true&limit=20', undefined],
    ['GET /send-intents', '', undefined],
  ]);
  await page.getByRole('button', { name: 'Try again b.pdf' }).click();
  await page.locator('.filings li', { hasText: 'b.pdf' }).getByText('waiting').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Try again/ }).count(), 0);
  // What was to be filed on sending, and was not, says so until it is put away.
  const sent = page.locator('.filings li', { hasText: 'Our offer' });
  await sent.getByText('file the letter from the sent items').waitFor();
  await page.locator('.filings li', { hasText: 'A draft' }).getByText('is filed when it is sent').waitFor();
  await sent.getByRole('button').click();
  await sent.waitFor({ state: 'detached' });
  assert.equal(api.calls.filter((it) => it.name.startsWith('DELETE /send-intents/')).length, 1);
  assert.equal(await page.getByText('Gone out').count(), 0);
  // Bookmarks are kept from here, too.
  await page.getByRole('button', { name: 'Bookmark L-1001 Harrow v Teal' }).click();
  await page.getByText('L-1001 Harrow v Teal is bookmarked.').waitFor({ state: 'attached' });
  // An e-mail is selected meanwhile.
  await page.evaluate((item) => globalThis.fake.open(item), LETTER);
  await cardOf(page, BIRCH).waitFor();
  await page.evaluate(() => globalThis.fake.open({ itemType: 'appointment', itemId: 'a', subject: 'Lunch' }));
  await page.getByText('What is open is no e-mail. Only e-mails are filed from here.').waitFor();
});

const selected = (count) =>
  Array.from({ length: count }, (_, at) => ({ itemId: `id-${at}`, itemType: 'Message', itemMode: 'Read', subject: `Letter ${at}`, internetMessageId: `<m${at}@x>`, conversationId: 'c', hasAttachment: false }));

scene('several selected: one request to know, then each to its suggestion, one after another', async (stage) => {
  const { page, api } = await pane(stage, {
    office: { item: null, selected: selected(4) },
    prepare: (api) => {
      const own = (place) => ({ filed: [], suggestions: [suggested(place, 1, 'why')], decided: true });
      api.known.letters = [own(BIRCH), own(HARROW), { filed: [], suggestions: [], decided: false }, { ...own(CEDAR), filed: [{ intake: 'i', ...CEDAR, by: 'Tao', at: '2026-11-20T09:30:00Z', state: 'filed' }] }];
    },
  });
  await page.getByRole('heading', { level: 1, name: '4 e-mails selected' }).waitFor();
  await page.getByText('no suggestion: not filed').waitFor();
  await page.getByText('filed already: L-1003 · to L-1003 Cedar merger').waitFor();
  assert.equal(await page.getByRole('checkbox', { name: 'Letter 3' }).isChecked(), false);
  const [asked] = api.of('POST /letters/known');
  assert.deepEqual(asked.json.letters[1], { mailbox: 'mina@firm.example', message_id: '<m1@x>', subject: 'Letter 1' });
  await press(page, 'File 2 e-mails');
  await page.getByText('2 of 2 are taken in. All are on their way.').waitFor();
  const filed = api.of('POST /letters');
  assert.deepEqual(filed.map((it) => [it.meta.message_id, it.meta.item_id, it.meta.matters, it.file.text.slice(0, 13)]), [
    ['<m0@x>', 'id-0', [{ work_item: 'w-birch', message: true, attachments: null }], 'Subject: id-0'],
    ['<m1@x>', 'id-1', [{ work_item: 'w-harrow', message: true, attachments: null }], 'Subject: id-1'],
  ]);
  // Each was let go before the next was loaded.
  const loads = await page.evaluate(() => globalThis.fake.calls.map((it) => it.name).filter((it) => /loadItem|unload/.test(it)));
  assert.deepEqual(loads, ['loadItemByIdAsync', 'unloadAsync', 'loadItemByIdAsync', 'unloadAsync']);
  assert.equal(api.calls.length, 3);
});

scene('a hundred selected, all to one matter: failures are listed and tried again, the rest is filed', async (stage) => {
  const { page, api } = await pane(stage, {
    expects: /./,
    office: { item: null, selected: selected(101) },
    prepare: (api) => {
      api.known.letters = [{ filed: [], suggestions: [], decided: false }];
      api.known.fetches = true;
      let refused = 0;
      api.answers['POST /letters'] = (call) => {
        if (['<m3@x>', '<m70@x>'].includes(call.meta.message_id) && (refused += 1) <= 2) return problem(404, 'The message is not in the mailbox.', 'Open it and try again.', 'not_found');
        return undefined;
      };
    },
  });
  await page.getByRole('heading', { level: 1, name: '100 e-mails selected' }).waitFor();
  assert.equal(api.of('POST /letters/known')[0].json.letters.length, 100);
  assert.ok(await page.getByRole('radio', { name: /^Each to the matter suggested/ }).isDisabled());
  await press(page, 'File 100 e-mails');
  await page.getByRole('alert').getByText('Choose a matter first.').waitFor();
  await page.getByRole('button', { name: /^L-1001 Harrow v Teal/ }).click();
  await press(page, 'File 100 e-mails');
  await page.getByText('98 of 100 are taken in. 2 were not taken; see below.').waitFor({ timeout: 60_000 });
  assert.deepEqual(await page.locator('.job-places li').allInnerTexts(), ['Letter 3\nThe message is not in the mailbox. Open it and try again.', 'Letter 70\nThe message is not in the mailbox. Open it and try again.']);
  await press(page, 'Try again');
  await page.getByText('2 of 2 are taken in.').waitFor();
  assert.equal(api.filed.size, 100);
  assert.equal(api.of('POST /letters').length, 102);
});

scene('several, and the connection breaks in the middle: each is filed once; and all are taken back', async (stage) => {
  const { page, api } = await pane(stage, {
    expects: /./,
    office: { item: null, selected: selected(3) },
    prepare: (api) => {
      Object.assign(api, { undoMs: 60_000 });
      api.answers['POST /letters'] = [(call) => api.take(call), (call) => (api.take(call), GONE)];
    },
  });
  await press(page, 'File 3 e-mails');
  await page.getByText(/^Letter 1: No connection/).waitFor();
  await page.evaluate(() => globalThis.dispatchEvent(new Event('online')));
  await page.getByText('3 of 3 are taken in. All are on their way.').waitFor();
  assert.equal(api.filed.size, 3);
  assert.equal(api.of('POST /letters').length, 4);
  await press(page, 'Undo all');
  await page.getByText('3 were taken back.').waitFor();
  assert.equal(api.calls.filter((it) => it.name.endsWith('/undo')).length, 3);
});

const DRAFT = { compose: true, subject: 'Our offer', to: [{ displayName: 'Bea', emailAddress: 'bea@birch.example' }] };

scene('written: the choice goes with the message, can be changed and withdrawn', async (stage) => {
  const { page, api } = await pane(stage, { office: { item: DRAFT } });
  await cardOf(page, BIRCH).waitFor();
  assert.deepEqual(api.of('POST /letters/known')[0].json.letters, [{ mailbox: 'mina@firm.example', subject: 'Our offer', to: [{ name: 'Bea', address: 'bea@birch.example' }] }]);
  await press(page, 'File when sent');
  await page.getByRole('heading', { name: 'When you send this e-mail, it is filed to' }).waitFor();
  const session = () => page.evaluate(() => globalThis.fake.item.session);
  const { id } = JSON.parse((await session())['postroom-send']);
  const [put] = api.calls.filter((it) => it.name.startsWith('PUT'));
  assert.equal(put.name, `PUT /send-intents/${id}`);
  assert.deepEqual(put.json, { mailbox: 'mina@firm.example', subject: 'Our offer', matters: [{ work_item: 'w-birch', message: true, attachments: null }] });

  await press(page, 'Change');
  await page.getByRole('button', { name: /^L-1001 Harrow v Teal/ }).first().click();
  await press(page, 'File when sent');
  await page.getByRole('heading', { name: 'When you send this e-mail, it is filed to' }).waitFor();
  const puts = api.calls.filter((it) => it.name.startsWith('PUT'));
  assert.equal(puts[1].name, put.name, 'the same intent');
  assert.deepEqual(puts[1].json.matters.map((it) => it.work_item), ['w-birch', 'w-harrow']);

  await press(page, 'Do not file it');
  await page.getByText('It is not filed when you send it.').waitFor({ state: 'attached' });
  await button(page, 'File when sent').waitFor();
  assert.deepEqual(await session(), {});
  assert.equal(api.of(`DELETE /send-intents/${id}`).length, 1);
});

scene('written: what was chosen before is shown; a server that refuses stores nothing; old Outlooks say what to do', async (stage) => {
  const choice = { id: '0190a000-0000-7000-8000-000000000001', matters: [{ ...CEDAR, bookmarked: false, reasons: [] }] };
  const before = await pane(stage, { office: { item: { ...DRAFT, session: { 'postroom-send': JSON.stringify(choice) } } } });
  await before.page.getByRole('listitem').getByText('L-1003 Cedar merger').waitFor();
  await before.page.getByRole('heading', { name: 'When you send this e-mail, it is filed to' }).waitFor();

  const broken = await pane(stage, { office: { item: { ...DRAFT, session: { 'postroom-send': '{"id":' } } } });
  await button(broken.page, 'File when sent').waitFor();

  const refused = await pane(stage, { office: { item: DRAFT }, expects: /422/ });
  refused.api.answers = new Proxy({}, { get: (_, name) => (String(name).startsWith('PUT') ? problem(422, 'The matter is closed.') : undefined) });
  await press(refused.page, 'File when sent');
  await refused.page.getByRole('alert').getByText('The matter is closed.').waitFor();
  assert.deepEqual(await refused.page.evaluate(() => globalThis.fake.item.session), {});

  const old = await pane(stage, { office: { item: DRAFT, sets: { Mailbox: '1.11' } } });
  await old.page.getByText('Send it, open it in Sent Items, and file it there.').waitFor();
});

// The handler of sending, as classic Outlook runs it: a bare context with nothing but the language.

const HANDLER = new URL('../../server/web/assets/addin/launchevent.js', import.meta.url);

/** Runs the handler for a message; gives what it answered and the headers it set. */
async function send(item, more = {}) {
  const associated = {};
  const headers = {};
  const mock = new OfficeMockObject({
    host: 'outlook',
    context: { mailbox: item === null ? {} : { item: { ...item, internetHeaders: { setAsync: item.setAsync ?? ((all, done) => setImmediate(() => (Object.assign(headers, all), done({ status: 'succeeded' })))) } } } },
    actions: { associate: (name, handler) => void (associated[name] = handler) },
  });
  const context = createContext({ Office: mock, ...more });
  runInContext(await readFile(HANDLER, 'utf8'), context);
  const answers = [];
  await new Promise((done) => {
    associated.onMessageSendHandler({ completed: (answer) => (answers.push(answer), setImmediate(done)) });
    more.elapse?.();
  });
  return { answers: JSON.parse(JSON.stringify(answers)), headers };
}

const data = (result) => ({ sessionData: { getAsync: (key, done) => setImmediate(() => done(result)) } });

test('a message is always sent, with the id of what was chosen where something was', async () => {
  const id = '0190a000-0000-7000-8000-000000000001';
  const stored = (value) => data({ status: 'succeeded', value });
  const throws = () => {
    throw new Error('no');
  };
  const table = [
    ['chosen', stored(JSON.stringify({ id })), { 'X-Postroom-Send': id }],
    ['nothing chosen', data({ status: 'failed', error: { code: 9020 } }), {}],
    ['empty', stored(''), {}],
    ['no JSON', stored('{'), {}],
    ['null', stored('null'), {}],
    ['no id of ours', stored(JSON.stringify({ id: 'x\r\nBcc: evil@example.org' })), {}],
    ['a client without session data', {}, {}],
    ['session data that throws', { sessionData: { getAsync: throws } }, {}],
    ['headers that throw', { ...stored(JSON.stringify({ id })), setAsync: throws }, {}],
    ['no message at all', null, {}],
  ];
  for (const [name, item, wanted] of table) {
    const { answers, headers } = await send(item);
    assert.deepEqual(answers, [{ allowEvent: true }], name);
    assert.deepEqual(headers, wanted, name);
  }
  // Headers that are refused do not matter either, and what never answers is not waited for.
  const refused = await send({ ...stored(JSON.stringify({ id })), setAsync: (all, done) => setImmediate(() => done({ status: 'failed' })) });
  assert.deepEqual(refused.answers, [{ allowEvent: true }]);
  let elapse;
  const silent = await send({ sessionData: { getAsync: () => {} } }, { setTimeout: (act, ms) => (assert.ok(ms < 5000), (elapse = act)), elapse: () => elapse() });
  assert.deepEqual(silent.answers, [{ allowEvent: true }]);
});

scene('the handler is there in the page that the web, the new Outlook and Macs load', async (stage) => {
  const { page } = await pane(stage, { path: '/addin/commands', office: { item: { ...DRAFT, session: { 'postroom-send': JSON.stringify({ id: '0190a000-0000-7000-8000-000000000001' }) } } } });
  const answer = await page.evaluate(() => new Promise((completed) => globalThis.fake.associated.onMessageSendHandler({ completed })));
  assert.deepEqual(answer, { allowEvent: true });
  assert.deepEqual(await page.evaluate(() => globalThis.fake.item.headers), { 'X-Postroom-Send': '0190a000-0000-7000-8000-000000000001' });
});

scene('Word: the document is filed in slices, and the next time as its next version', async (stage) => {
  const { page, api } = await pane(stage, {
    path: '/addin/word',
    office: { host: 'Word', document: { url: 'https://firm.sharepoint.com/x/Share%20purchase%20agreement.docx', content: 'one two three four', slices: 3 } },
  });
  await page.getByRole('heading', { level: 1, name: 'Share purchase agreement.docx' }).waitFor();
  await press(page, 'File');
  await page.getByRole('alert').getByText('Choose a matter first.').waitFor();
  await page.getByRole('button', { name: /^L-1003 Cedar merger/ }).click();
  await page.getByRole('button', { name: /^L-1001 Harrow v Teal/ }).click();
  assert.equal(await page.locator('section.chosen').count(), 1, 'a document belongs to one matter');
  await page.locator('summary', { hasText: 'Add a note' }).click();
  await page.getByRole('textbox', { name: 'Add a note' }).fill('signed');
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  const settings = await page.evaluate(() => globalThis.fake.settings);
  const [first] = api.of('POST /intakes');
  assert.deepEqual(first.meta, { work_item: 'w-harrow', subject: 'Share purchase agreement.docx', note: 'signed', document: settings['postroom.document'], save_mode: 'keep_linked' });
  assert.equal(first.file.name, 'Share purchase agreement.docx');
  assert.equal(first.file.text, 'one two three four');
  const closed = await page.evaluate(() => globalThis.fake.calls.filter((it) => it.name === 'closeAsync').length);
  assert.equal(closed, 1);

  await press(page, 'File it again');
  await page.getByText('Filed again, it becomes its next version.').waitFor();
  await cardOf(page, HARROW).waitFor();
  // What became of the first one still stands there, and says "Filed." too.
  const sent = page.waitForResponse((it) => it.request().method() === 'POST' && it.url().endsWith('/api/v1/intakes'));
  await press(page, 'File the next version');
  await sent;
  await jobSays(page, 'Filed.');
  const [, second] = api.of('POST /intakes');
  assert.equal(second.meta.document, first.meta.document);
  assert.notEqual(second.key, first.key);
});

scene('Word: a document that cannot be read, or remembers nothing, is not filed', async (stage) => {
  for (const [fails, words] of [['getFileAsync', /did not hand it over \(getFileAsync is refused\)/], ['settings.saveAsync', /did not hand it over \(settings\.saveAsync is refused\)/]]) {
    const { page, api } = await pane(stage, { path: '/addin/word', office: { host: 'Excel', fails: [fails] } });
    await page.getByRole('heading', { level: 1, name: 'Document.xlsx' }).waitFor();
    await page.getByRole('button', { name: /^L-1003 Cedar merger/ }).click();
    await press(page, 'File');
    await page.getByText(words).first().waitFor();
    assert.equal(api.of('POST /intakes').length, 0);
    await button(page, 'File').waitFor();
  }
});
