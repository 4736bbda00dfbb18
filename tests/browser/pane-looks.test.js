// Each state of the panes as it looks, and what the first view costs.

import assert from 'node:assert/strict';

import { comeIn, press } from './support/doing.js';
import { look } from './support/looking.js';
import { BIRCH, CEDAR, GONE, HARROW, LETTER, filing, pane, problem, suggested } from './support/pane.js';
import { stage } from './support/scenes.js';

const scene = stage();

const item = LETTER;
const chosen = (page) => page.locator('section.chosen').first().waitFor();
const job = (page, words) => page.locator('.job').first().getByText(words, { exact: true }).first().waitFor();

scene('a message that is read', async (stage) => {
  const { page } = await pane(stage, { office: { item } });
  await chosen(page);
  await look(page, 'pane-read');
  await page.getByRole('combobox').pressSequentially('seek');
  await page.getByRole('option').waitFor();
  await page.keyboard.press('ArrowDown');
  await look(page, 'pane-search');
});

scene('a message that was filed already, from a shared mailbox, encrypted, with many attachments, to several matters', async (stage) => {
  const long = 'Re: Re: Fwd: Completion of the purchase of the whole of the issued share capital of Featherstonehaugh-Cholmondeley Holdings (No. 2) Limited and others; signing pages, version 14';
  const attachments = Array.from({ length: 40 }, (_, at) => ({ name: `Schedule_${at}_of_the_disclosure_letter_with_a_long_name_without_spaces.pdf`, size: 10 ** (at % 8), isInline: at % 5 === 0 }));
  const { page } = await pane(stage, {
    office: { item: { ...item, subject: long, itemClass: 'IPM.Note.SMIME', attachments }, shared: { owner: 'property@firm.example', targetMailbox: 'property@firm.example' } },
    prepare: (api) => {
      api.known.letters[0].filed = [{ intake: 'i-0', ...CEDAR, by: 'Tao Chen', at: '2026-11-20T09:30:00Z', state: 'filed' }];
    },
  });
  await page.getByRole('button', { name: /^L-1002 Birch lease/ }).first().click();
  await page.getByRole('button', { name: /^L-1001 Harrow v Teal/ }).first().click();
  await page.getByText(/^Attachments as documents/).first().click();
  await look(page, 'pane-much');
});

scene('what became of it', async (stage) => {
  const file = async (name, words, more) => {
    const { page } = await pane(stage, { office: { item }, expects: /./, ...more });
    await chosen(page);
    await press(page, 'File');
    await job(page, words);
    await look(page, name);
  };
  await file('pane-taken', 'Taken in and safe. It is being filed.', { prepare: (api) => Object.assign(api, { undoMs: 600_000, states: ['running'] }) });
  await file('pane-filed', 'Filed.', {});
  await file('pane-offline', /^No connection/, { prepare: (api) => (api.answers['POST /letters'] = () => GONE) });
  await file('pane-refused', 'The matter L-1002 is closed. Choose another one.', { prepare: (api) => (api.answers['POST /letters'] = () => problem(422, 'The matter L-1002 is closed.', 'Choose another one.')) });
  const cause = { code: 'no_right', short: 'x', sentence: 'You may not add documents there.', hint: 'Ask Tao.' };
  await file('pane-failed', 'Taken in and safe, but not everything is filed yet.', {
    prepare: (api) => (api.answers['GET /intakes/i-1'] = { body: { id: 'i-1', state: 'split', filing_items: [filing('f-1', 'failed', { cause }), filing('f-2', 'filed', { file_name: 'lease.pdf' })] } }),
  });
});

scene('signing in, and no host', async (stage) => {
  const out = await pane(stage, { office: { item }, signedIn: false });
  await out.page.getByRole('button', { name: 'Sign in' }).waitFor();
  await look(out.page, 'pane-sign-in');
  const none = await pane(stage, { office: { host: null } });
  await none.page.getByRole('link', { name: 'How to use it' }).waitFor();
  await look(none.page, 'pane-no-host');
});

scene('nothing selected, and several', async (stage) => {
  const cause = { code: 'workspace_missing', short: 'x', sentence: 'There is no workspace for the matter.', hint: '' };
  const home = await pane(stage, {
    office: { item: null },
    prepare: (api) => (api.answers['GET /filings'] = { body: { items: [filing('f-9', 'filed', { file_name: 'a.pdf' }), filing('f-8', 'failed', { file_name: 'b.pdf', cause }), filing('f-7', 'waiting')], next: null } }),
  });
  await home.page.getByText('There is no workspace for the matter.').waitFor();
  await look(home.page, 'pane-home');
  const selected = Array.from({ length: 5 }, (_, at) => ({ itemId: `id-${at}`, itemType: 'Message', subject: `Letter ${at} about the lease`, internetMessageId: `<m${at}@x>` }));
  const several = await pane(stage, {
    expects: /./,
    office: { item: null, selected },
    prepare: (api) => {
      const own = (place) => ({ filed: [], suggestions: [suggested(place, 1, 'why')], decided: true });
      api.known.letters = [own(BIRCH), own(HARROW), { filed: [], suggestions: [], decided: false }, { ...own(CEDAR), filed: [{ intake: 'i', ...CEDAR, by: 'Tao', at: '2026-11-20T09:30:00Z', state: 'filed' }] }, own(BIRCH)];
      api.undoMs = 600_000;
      api.answers['POST /letters'] = [undefined, problem(404, 'The message is not in the mailbox.', 'Open it and try again.')];
    },
  });
  await several.page.getByRole('button', { name: 'File 3 e-mails' }).waitFor();
  await look(several.page, 'pane-several');
  await several.page.getByRole('radio', { name: 'All to the same' }).check();
  await look(several.page, 'pane-several-one');
  await several.page.getByRole('radio', { name: /^Each/ }).check();
  await press(several.page, 'File 3 e-mails');
  await several.page.getByText('2 of 3 are taken in. 1 was not taken; see below.').waitFor();
  await look(several.page, 'pane-several-done');
});

scene('a message that is written, and Word', async (stage) => {
  const { page } = await pane(stage, { office: { item: { compose: true, subject: 'Our offer' } } });
  await chosen(page);
  await look(page, 'pane-compose');
  await press(page, 'File when sent');
  await page.getByRole('heading', { name: /^When you send/ }).waitFor();
  await look(page, 'pane-compose-chosen');
  const word = await pane(stage, { path: '/addin/word', office: { host: 'Word', document: { url: 'https://firm.sharepoint.com/Share%20purchase%20agreement.docx' } } });
  await word.page.getByRole('button', { name: /^L-1003 Cedar merger/ }).click();
  await look(word.page, 'pane-word');
});

scene('in German', async (stage) => {
  const { page } = await pane(stage, { office: { item, language: 'de-DE' }, prepare: (api) => Object.assign(api, { undoMs: 600_000, states: ['running'] }) });
  await chosen(page);
  await look(page, 'pane-read-de');
  await press(page, 'Ablegen');
  await job(page, 'Angenommen und sicher. Es wird abgelegt.');
  await look(page, 'pane-taken-de');
});

scene('the help for people, in both languages, and for administrators', async ({ world, open }) => {
  const page = await open();
  for (const language of ['en', 'de']) {
    await page.goto(`/addin/help?lang=${language}`);
    await look(page, `pane-help-${language}`);
  }
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'By keyboard' }).waitFor();
  await comeIn(world, page, 'buttons@firm.example', '--admin');
  for (const language of ['en', 'de']) {
    await page.goto(`/admin/addin?lang=${language}`);
    await page.getByText(`postroom addin manifest --base-url ${world.url}`).waitFor();
    await look(page, `admin-addin-${language}`);
  }
});

scene('the first view weighs little, asks once, and is there soon on a slow machine', async (stage) => {
  const { page, api } = await pane(stage, { office: { item }, path: '/addin/help' });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const asked = new Map();
  cdp.on('Network.requestWillBeSent', ({ requestId, request }) => asked.set(requestId, { url: request.url, bytes: 0 }));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (asked.has(requestId)) asked.get(requestId).bytes = encodedDataLength;
  });
  const began = performance.now();
  await page.goto('/addin/outlook');
  await page.getByRole('button', { name: 'File', exact: true }).waitFor();
  await chosen(page);
  const took = Math.round(performance.now() - began);
  const ours = [...asked.values()].filter(({ url }) => !url.startsWith('https://appsforoffice') && !url.includes('/api/') && !url.startsWith('data:'));
  const total = ours.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(JSON.stringify({ total, requests: ours.length, usable_ms: took, each: ours.map(({ url, bytes }) => [new URL(url).pathname, bytes]) }));
  assert.ok(total > 5000 && total < 60_000, `${total} bytes`);
  assert.ok(ours.length <= 20, `${ours.length} requests`);
  assert.deepEqual(api.calls.map((it) => it.name), ['POST /letters/known']);
  assert.ok(took < 3000, `${took} ms`);
});
