// The pane in Outlook, beside a message that is read: what it knows, what it files, and what it does when something breaks.

import assert from 'node:assert/strict';

import { button, press } from './support/doing.js';
import { Api, BIRCH, CEDAR, GONE, HARROW, LETTER, SIZE, filing, openPane, pane, problem, suggested } from './support/pane.js';
import { stage } from './support/scenes.js';

const scene = stage();

/** A pane beside a message. */
const read = (stage, { item = LETTER, office = {}, ...more } = {}) => pane(stage, { office: { item, ...office }, ...more });

const job = (page) => page.locator('.job').first();
const jobSays = (page, words) => job(page).getByText(words, { exact: true }).first().waitFor();
const fake = (page, act, given) => page.evaluate(act, given);
const cardOf = (page, place) => page.locator('section.chosen', { has: page.getByRole('heading', { name: new RegExp(place.title) }) });

scene('the open e-mail goes to the suggested matter by one click: one request to know, one to file', async (stage) => {
  const { page, api } = await read(stage);
  await cardOf(page, BIRCH).waitFor();
  // It was asked once, with what Outlook knows.
  assert.deepEqual(api.calls.map((it) => it.name), ['POST /letters/known']);
  const [asked] = api.of('POST /letters/known');
  assert.equal(asked.token, 'Bearer pr_kept');
  assert.equal(asked.cookie, undefined);
  assert.deepEqual(asked.json, {
    letters: [
      {
        mailbox: 'mina@firm.example',
        message_id: '<one@client.example>',
        headers: LETTER.headers,
        subject: 'Draft lease for signature',
        from: { name: 'Bea Birch', address: 'bea@birch.example' },
        to: [{ name: 'Mina Patel', address: 'mina@firm.example' }],
        attachments: [
          { name: 'lease.pdf', size: 240_000, inline: false },
          { name: 'image001.png', size: 9000, inline: true },
          { name: 'lease.pdf', size: 250_000, inline: false },
        ],
      },
    ],
  });
  // The reasons stand beside the suggestions.
  await page.getByText('The e-mail answers one that was filed there · Bea Birch takes part').waitFor();
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  const [filed, ...others] = api.of('POST /letters');
  assert.equal(others.length, 0);
  assert.match(filed.key, /^[0-9a-f-]{36}$/);
  assert.deepEqual(filed.meta, {
    mailbox: 'mina@firm.example',
    message_id: '<one@client.example>',
    item_id: 'AAMk-1_2=',
    // Two have one name; the picture within the text is left out.
    matters: [{ work_item: 'w-birch', message: true, attachments: [{ name: 'lease.pdf', nth: 1 }, { name: 'lease.pdf', nth: 2 }] }],
    note: '',
  });
  assert.deepEqual(filed.file, { name: 'message.eml', type: 'message/rfc822', text: 'Subject: AAMk/1+2=\r\n\r\nx' });
  // Marked with the category, which was put on the list first; and nothing is left to go on with.
  const marks = await fake(page, () => globalThis.fake.categories);
  assert.deepEqual(marks, { master: ['Filed'], items: { 'AAMk/1+2=': ['Filed'] } });
  assert.deepEqual(await fake(page, () => Object.keys(localStorage)), ['postroom/token']);
});

scene('several matters, each with what goes there, and a note', async (stage) => {
  const { page, api } = await read(stage);
  await cardOf(page, BIRCH).getByLabel('The e-mail').uncheck();
  await page.getByRole('button', { name: /^L-1001 Harrow v Teal/ }).first().click();
  await cardOf(page, HARROW).getByLabel(/lease\.pdf/).first().uncheck();
  await cardOf(page, HARROW).getByLabel(/image001\.png/).check();
  await page.getByText('Attachments as documents of their own: 2 of 3').first().waitFor();
  await page.getByRole('button', { name: /^L-1003 Cedar merger/ }).first().click();
  await press(page, 'File to 3 matters');
  await jobSays(page, 'Filed.');
  assert.equal(api.of('POST /letters').length, 1);
  assert.deepEqual(api.of('POST /letters')[0].meta.matters, [
    { work_item: 'w-birch', message: false, attachments: [{ name: 'lease.pdf', nth: 1 }, { name: 'lease.pdf', nth: 2 }] },
    { work_item: 'w-harrow', message: true, attachments: [{ name: 'image001.png', nth: 1 }, { name: 'lease.pdf', nth: 2 }] },
    { work_item: 'w-cedar', message: true, attachments: [{ name: 'lease.pdf', nth: 1 }, { name: 'lease.pdf', nth: 2 }] },
  ]);
});

scene('filed, and then to another matter, too', async (stage) => {
  const { page, api } = await read(stage);
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  api.known.letters[0].filed = [{ intake: 'i-1', ...BIRCH, by: 'mina@firm.example', at: '2026-11-27T09:30:00Z', state: 'filed' }];
  await press(page, 'File to another matter, too');
  await page.locator('.notice.filed').getByText('L-1002 Birch lease').waitFor();
  await page.getByRole('button', { name: /^L-1003 Cedar merger/ }).click();
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  assert.deepEqual(api.of('POST /letters').map((it) => it.meta.matters.map((matter) => matter.work_item)), [['w-birch'], ['w-cedar']]);
  assert.equal(api.filed.size, 2);
});

scene('a matter is given up again, and one to which nothing goes is not filed', async (stage) => {
  const { page, api } = await read(stage, { item: { ...LETTER, attachments: [] } });
  await cardOf(page, BIRCH).getByLabel('The e-mail').uncheck();
  await press(page, 'File');
  await page.getByRole('alert').getByText('Choose the e-mail or an attachment for L-1002 Birch lease.').waitFor();
  await page.getByRole('button', { name: 'Do not file to L-1002 Birch lease' }).click();
  await page.getByText('Choose a matter below.').waitFor();
  assert.ok(await page.getByRole('combobox').evaluate((it) => it === document.activeElement), 'the focus is not lost');
  await press(page, 'File');
  await page.getByRole('alert').getByText('Choose a matter first.').waitFor();
  assert.equal(api.of('POST /letters').length, 0);
});

scene('what is filed already says where, by whom and when, and is not chosen again', async (stage) => {
  const { page } = await read(stage, {
    prepare: (api) => {
      api.known.letters[0].filed = [{ intake: 'i-0', ...CEDAR, by: 'Tao Chen', at: '2026-11-20T09:30:00Z', state: 'filed' }];
    },
  });
  const banner = page.locator('.notice.filed');
  await banner.waitFor();
  assert.match((await banner.innerText()).replaceAll(/\s+/g, ' '), /^Filed already L-1003 Cedar merger by Tao Chen, 20 Nov 2026, \d\d:\d\d · filed$/);
  await page.getByText('Choose a matter below.').waitFor();
});

scene('undone while there is time: nothing is filed, the mark goes, and the choice is there again', async (stage) => {
  const { page, api } = await read(stage, { prepare: (api) => Object.assign(api, { undoMs: 30_000, states: ['waiting'] }) });
  await cardOf(page, BIRCH).getByLabel('The e-mail').waitFor();
  await press(page, 'File');
  const undo = page.getByRole('button', { name: /^Undo/ });
  await undo.waitFor();
  assert.match(await undo.innerText(), /^Undo \((30|29) s\)$/);
  assert.deepEqual(await fake(page, () => globalThis.fake.categories.items['AAMk/1+2=']), ['Filed']);
  await undo.click();
  await jobSays(page, 'Taken back. Nothing was filed.');
  assert.equal(api.of('POST /intakes/i-1/undo').length, 1);
  await cardOf(page, BIRCH).waitFor();
  await page.waitForFunction(() => globalThis.fake.categories.items['AAMk/1+2='].length === 0);
  assert.ok(await undo.isHidden());
});

scene('too late to undo says so', async (stage) => {
  const { page } = await read(stage, {
    expects: /409/,
    prepare: (api) => {
      Object.assign(api, { undoMs: 30_000, states: ['waiting'] });
      api.answers['POST /intakes/i-1/undo'] = problem(409, 'It is in the DMS already.', '', 'too_late');
    },
  });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await page.getByRole('button', { name: /^Undo/ }).click();
  await job(page).getByRole('alert').getByText('It is in the DMS already.').waitFor();
  assert.ok(await page.getByRole('button', { name: /^Undo/ }).isHidden());
});

scene('offline in the middle: it says so, tries again by itself under one key, and files once', async (stage) => {
  const { page, api } = await read(stage, {
    // The browser says what its tests make of the network.
    expects: /./,
    prepare: (api) => {
      // The first is taken, and its answer lost; then nothing comes through; then the server is busy; then it answers.
      const lost = (call) => (api.take(call), GONE);
      api.answers['POST /letters'] = [lost, GONE, problem(503, 'The disk is full.'), problem(429, 'Slowly.')];
      api.states = ['filed'];
    },
  });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, /^No connection to .*It is sent by itself when the connection is back, and filed once/);
  // What would be sent again is written down before it is sent.
  const kept = await fake(page, () => Object.keys(localStorage).filter((it) => it.includes('job/')));
  for (let tries = 2; tries <= 5; tries += 1) {
    await page.evaluate(() => globalThis.dispatchEvent(new Event('online')));
    while (api.of('POST /letters').length < tries) await page.waitForRequest('**/api/v1/letters').catch(() => {});
    if (tries === 3) await jobSays(page, /does not answer just now. It is sent again by itself/);
  }
  await jobSays(page, 'Filed.');
  const keys = api.of('POST /letters').map((it) => it.key);
  assert.deepEqual(keys, Array(5).fill(keys[0]));
  assert.deepEqual(kept, [`postroom/job/${keys[0]}`]);
  assert.equal(api.filed.size, 1, 'filed once');
});

scene('closed in the middle: it goes on under its old key when the message is open again', async (stage) => {
  const { page, api } = await read(stage, { expects: /./, prepare: (api) => (api.answers['POST /letters'] = () => GONE) });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, /^No connection/);
  await page.reload();
  await jobSays(page, /^No connection/);
  api.answers = {};
  await jobSays(page, 'Filed.');
  const calls = api.of('POST /letters');
  assert.equal(new Set(calls.map((it) => it.key)).size, 1);
  assert.equal(new Set(calls.map((it) => JSON.stringify(it.meta))).size, 1);
  // From the second on they came from the pane that was opened anew, and its message is marked too.
  assert.deepEqual(await fake(page, () => globalThis.fake.categories.items['AAMk/1+2=']), ['Filed']);
});

scene('the sign-in runs out in the middle: the dialog, then it goes on by itself under the same key', async (stage) => {
  const { page, api } = await read(stage, {
    expects: /401/,
    prepare: (api) => {
      const old = (call) => (call.token === 'Bearer pr_kept' ? problem(401, 'The token has ended.', '', 'not_signed_in') : undefined);
      api.answers['POST /letters'] = old;
    },
  });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  const calls = api.of('POST /letters');
  assert.deepEqual(calls.map((it) => it.token), ['Bearer pr_kept', 'Bearer pr_test']);
  assert.equal(calls[0].key, calls[1].key);
  assert.equal(await fake(page, () => globalThis.fake.dialogs), 1);
});

scene('a dialog that was blocked is offered again', async (stage) => {
  const { page, api } = await read(stage, {
    expects: /401/,
    office: { dialog: { blocked: true } },
    prepare: (api) => {
      api.answers['POST /letters'] = (call) => (call.token === 'Bearer pr_kept' ? problem(401, 'The token has ended.') : undefined);
    },
  });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'Your sign-in has run out. Sign in once more, and it goes on by itself.');
  await fake(page, () => (globalThis.fake.dialog = { token: 'pr_new' }));
  await job(page).getByRole('button', { name: 'Sign in' }).click();
  await jobSays(page, 'Filed.');
  assert.equal(new Set(api.of('POST /letters').map((it) => it.key)).size, 1);
});

scene('what the server refuses is said with what helps, and can be tried again', async (stage) => {
  const { page, api } = await read(stage, {
    expects: /422/,
    prepare: (api) => (api.answers['POST /letters'] = [problem(422, 'The matter L-1002 is closed.', 'Choose another one.')]),
  });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'The matter L-1002 is closed. Choose another one.');
  await cardOf(page, BIRCH).waitFor();
  await job(page).getByRole('button', { name: 'Try again' }).click();
  await jobSays(page, 'Filed.');
  const [first, second] = api.of('POST /letters');
  assert.notEqual(first.key, second.key, 'nothing was taken the first time, so this is another filing');
});

scene('a filing that failed tells why, and is tried again', async (stage) => {
  const { page, api } = await read(stage, {
    prepare: (api) => {
      api.answers['GET /intakes/i-1'] = { body: { id: 'i-1', state: 'split', filing_items: [filing('f-1', 'failed', { cause: { code: 'no_right', short: 'No right', sentence: 'You may not add documents there.', hint: 'Ask Tao.' } })] } };
      api.answers['POST /filings/f-1/retry'] = { body: { filing: filing('f-1', 'waiting') } };
    },
  });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'Taken in and safe, but not everything is filed yet.');
  await jobSays(page, 'You may not add documents there. Ask Tao.');
  await job(page).getByRole('button', { name: 'Try again message.eml' }).click();
  await jobSays(page, 'Taken in and on its way. You need not wait for it.');
  assert.equal(api.of('POST /filings/f-1/retry')[0].match, '"3"');
});

scene('the first time one signs in; the token is kept, and signing out forgets it', async (stage) => {
  const { page, api } = await read(stage, { signedIn: false, office: { dialog: { closed: true }, partition: 'outlook-' } });
  await page.getByRole('heading', { level: 1, name: /^Sign in to/ }).waitFor();
  assert.equal(api.calls.length, 0);
  await press(page, 'Sign in');
  await page.getByRole('alert').getByText(/^You are not signed in yet/).waitFor();
  // A message from elsewhere is no sign-in.
  await fake(page, () => (globalThis.fake.dialog = { foreign: true, token: 'pr_first' }));
  await press(page, 'Sign in');
  await cardOf(page, BIRCH).waitFor();
  assert.equal(api.calls[0].token, 'Bearer pr_first');
  assert.deepEqual(await fake(page, () => Object.keys(localStorage)), ['outlook-postroom/token']);
  await page.reload();
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'Sign out');
  await page.getByRole('heading', { level: 1, name: /^Sign in to/ }).waitFor();
  assert.deepEqual(await fake(page, () => Object.keys(localStorage)), []);
});

scene('where the browser keeps nothing, it works for as long as the pane is open', async (stage) => {
  const api = await Api.start();
  stage.ends(() => api.stop());
  const page = await stage.open({ viewport: SIZE });
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } });
  });
  await openPane(page, api, { office: { item: LETTER }, signedIn: false });
  await press(page, 'Sign in');
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'Filed.');
});

scene('another message: what is known of it is asked, and late answers about the last one are dropped', async (stage) => {
  let answer;
  const { page, api } = await read(stage, {
    prepare: (api) => {
      const late = () => new Promise((done) => (answer = () => done({ body: { ...api.known } })));
      api.answers['POST /letters/known'] = [late, { body: { ...api.known, letters: [{ filed: [], suggestions: [suggested(CEDAR, 1, 'It says so')], decided: true }] } }];
    },
  });
  await page.getByRole('heading', { name: LETTER.subject }).waitFor();
  while (!answer) await page.waitForTimeout(10);
  await fake(page, (item) => globalThis.fake.open(item), { ...LETTER, itemId: 'AAMk2', subject: 'Another', internetMessageId: '<two@x>' });
  await cardOf(page, CEDAR).waitFor();
  answer();
  await page.getByRole('heading', { level: 1, name: 'Another' }).waitFor();
  assert.equal(await cardOf(page, BIRCH).count(), 0);
  assert.equal(api.of('POST /letters/known').length, 2);
});

scene('filing goes on while the next message is open', async (stage) => {
  const { page, api } = await read(stage, { prepare: (api) => (api.states = ['running', 'filed']) });
  await cardOf(page, BIRCH).waitFor();
  await press(page, 'File');
  await jobSays(page, 'Taken in and safe. It is being filed.');
  await fake(page, (item) => globalThis.fake.open(item), { ...LETTER, itemId: 'AAMk2', subject: 'Another', internetMessageId: '<two@x>' });
  await page.getByRole('heading', { level: 1, name: 'Another' }).waitFor();
  await cardOf(page, BIRCH).waitFor();
  await jobSays(page, 'Filed.');
  assert.equal(api.of('POST /letters').length, 1);
});

scene('a shared mailbox is named, and read as that mailbox', async (stage) => {
  const { page, api } = await read(stage, { office: { shared: { owner: 'property@firm.example', targetMailbox: 'property@firm.example', delegatePermissions: 1 } } });
  await page.getByText('This is the mailbox property@firm.example. It is filed in your name.').waitFor();
  assert.equal(api.of('POST /letters/known')[0].json.letters[0].mailbox, 'property@firm.example');
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  assert.equal(api.of('POST /letters')[0].meta.mailbox, 'property@firm.example');
});

scene('an encrypted e-mail is filed as its wrapper, and says so', async (stage) => {
  for (const more of [{ itemClass: 'IPM.Note.SMIME' }, { attachments: [{ id: 'r', name: 'message.rpmsg', size: 9, isInline: false }] }]) {
    const { page } = await read(stage, { item: { ...LETTER, ...more } });
    await page.getByText('This e-mail is encrypted. It is filed as it is, in its wrapper').waitFor();
  }
  const { page } = await read(stage, { item: { ...LETTER, itemClass: 'IPM.Note.SMIME.MultipartSigned' } });
  await cardOf(page, BIRCH).waitFor();
  assert.equal(await page.getByText('This e-mail is encrypted').count(), 0, 'signed is not encrypted');
});

scene('old and faulty Outlooks: what is missing is done without, or said', async (stage) => {
  // Without headers, shared properties and categories, and refusing them.
  for (const office of [{ sets: { Mailbox: '1.14' }, fails: ['getAllInternetHeadersAsync', 'masterCategories.addAsync', 'categories.addAsync'] }]) {
    const { page, api } = await read(stage, { office });
    await cardOf(page, BIRCH).waitFor();
    await press(page, 'File');
    await jobSays(page, 'Filed.');
    assert.equal(api.of('POST /letters/known')[0].json.letters[0].headers, undefined);
  }
  const old = await read(stage, { office: { sets: { Mailbox: '1.5' } } });
  await cardOf(old.page, BIRCH).waitFor();
  await press(old.page, 'File');
  await jobSays(old.page, /^This Outlook is too old to hand over messages\./);
  // Where the server reads the mailbox itself, nothing is handed over.
  const fetched = await read(stage, { office: { sets: { Mailbox: '1.5' } }, prepare: (api) => (api.known.fetches = true) });
  await cardOf(fetched.page, BIRCH).waitFor();
  await press(fetched.page, 'File');
  await jobSays(fetched.page, 'Filed.');
  assert.equal(fetched.api.of('POST /letters')[0].file, null);
  const refuses = await read(stage, { office: { fails: ['getAsFileAsync'] } });
  await cardOf(refuses.page, BIRCH).waitFor();
  await press(refuses.page, 'File');
  await jobSays(refuses.page, /^Outlook or Word did not hand it over \(getAsFileAsync is refused\)/);
  assert.equal(refuses.api.of('POST /letters').length, 0);
});

scene('no server at the opening: it says so, and shows the message when it is there', async (stage) => {
  const { page } = await read(stage, { expects: /./, prepare: (api) => (api.answers['POST /letters/known'] = [GONE, problem(503, 'Not yet.')]) });
  await page.getByText(/^No connection to .* It is tried again by itself\.$/).waitFor();
  await page.evaluate(() => globalThis.dispatchEvent(new Event('online')));
  await cardOf(page, BIRCH).waitFor();
  assert.ok(await page.locator('.notice.waiting').isHidden());
});

scene('bookmarks and the search', async (stage) => {
  const { page, api } = await read(stage, { expects: /409/ });
  await cardOf(page, BIRCH).waitFor();
  const star = page.getByRole('button', { name: 'Bookmark L-1001 Harrow v Teal' });
  await star.click();
  await page.getByText('L-1001 Harrow v Teal is bookmarked.').waitFor({ state: 'attached' });
  assert.equal(await star.getAttribute('aria-pressed'), 'true');
  assert.ok(await star.evaluate((it) => it === document.activeElement), 'the focus stays');
  await star.click();
  await page.getByText('L-1001 Harrow v Teal is not bookmarked any more.').waitFor({ state: 'attached' });
  api.answers['PUT /work-items/w-harrow/bookmark'] = problem(409, 'You have too many bookmarks.');
  await star.click();
  await page.getByText('You have too many bookmarks.').waitFor({ state: 'attached' });
  assert.equal(await star.getAttribute('aria-pressed'), 'false');
  // The closed one is shown, and cannot be chosen.
  assert.ok(await page.getByRole('button', { name: /^L-0007 Old estate/ }).isDisabled());

  const search = page.getByRole('combobox', { name: 'Find a matter' });
  await search.pressSequentially('seek', { delay: 5 });
  await page.getByRole('option', { name: /L-2000 Found at last/ }).waitFor();
  assert.deepEqual(api.of('GET /work-items').map((it) => it.query), ['?search=seek&limit=20'], 'asked once, when the typing stopped');
  await search.press('Escape');
  assert.ok(await page.getByRole('listbox').isHidden());
  await search.press('ArrowDown');
  assert.equal(await search.getAttribute('aria-expanded'), 'true');
  assert.ok(await search.getAttribute('aria-activedescendant'));
  await search.press('Enter');
  await page.getByRole('heading', { level: 2, name: 'L-2000 Found at last' }).waitFor();
  assert.equal(await search.inputValue(), '');
});

scene('by keyboard alone: open, choose another, file, undo', async (stage) => {
  const { page, api } = await read(stage, { prepare: (api) => Object.assign(api, { undoMs: 60_000, states: ['waiting'] }) });
  await cardOf(page, BIRCH).waitFor();
  const tabTo = async (target) => {
    for (let stops = 0; stops < 40; stops += 1) {
      await page.keyboard.press('Tab');
      const marked = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none');
      assert.ok(marked, `no focus ring on ${await page.evaluate(() => document.activeElement.outerHTML)}`);
      if (await target.evaluate((it) => it === document.activeElement)) return;
    }
    assert.fail('it is not reached with Tab');
  };
  await tabTo(button(page, 'File'));
  await tabTo(page.getByRole('combobox'));
  await page.keyboard.type('seek');
  await page.getByRole('option').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 2, name: 'L-2000 Found at last' }).waitFor();
  await page.keyboard.press('Control+Enter');
  await jobSays(page, 'Taken in and safe. It is being filed.');
  assert.equal(api.of('POST /letters')[0].meta.matters.length, 2);
  // The focus is at what became of it; undoing is the next stop.
  assert.equal(await page.evaluate(() => document.activeElement.textContent), LETTER.subject);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await jobSays(page, 'Taken back. Nothing was filed.');
});

scene('in German, because Outlook is', async (stage) => {
  const { page } = await read(stage, { office: { language: 'de-AT' } });
  await cardOf(page, BIRCH).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await page.getByRole('heading', { name: 'Vorgeschlagen' }).waitFor();
  await press(page, 'Ablegen');
  await jobSays(page, 'Abgelegt.');
  // A language that there are no texts in stays with the browser's.
  const french = await read(stage, { office: { language: 'fr-FR' } });
  await button(french.page, 'File').waitFor();
});

scene('hostile content is text: names, subjects, titles, reasons, five hundred people, a hundred attachments', async (stage) => {
  const evil = `<img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>"'\u202e`;
  const people = Array.from({ length: 500 }, (_, at) => ({ displayName: `${evil}${at}`, emailAddress: `p${at}@x.example` }));
  const item = {
    ...LETTER,
    subject: evil,
    from: { displayName: evil, emailAddress: evil },
    to: people,
    attachments: Array.from({ length: 100 }, (_, at) => ({ id: `${at}`, name: `${evil}${at % 3}.pdf`, size: 1, isInline: false })),
  };
  const { page, api } = await read(stage, {
    item,
    prepare: (api) => {
      const place = { ...BIRCH, title: evil, reference: evil, client: evil };
      api.known.letters = [{ filed: [{ ...place, intake: 'i', by: evil, at: 'nonsense', state: evil }], suggestions: [suggested(place, 1, evil)], decided: true }];
      api.known.recent = [place];
      api.answers['POST /letters'] = (call) => {
        const taken = api.take(call);
        taken.body.filings = [filing('f', 'filed', { file_name: evil, target: evil, receipt: { link: 'javascript:globalThis.pwned=1' } })];
        return taken;
      };
      api.answers['GET /intakes/i-1'] = { body: { id: 'i-1', state: 'split', filing_items: [filing('f', 'filed', { file_name: evil, target: evil, receipt: { link: 'javascript:globalThis.pwned=1' } })] } };
    },
  });
  await page.locator('.places-list button.place').first().click();
  await page.getByText('Attachments as documents of their own: 100 of 100').waitFor();
  await press(page, 'File');
  await jobSays(page, 'Filed.');
  assert.equal(api.of('POST /letters')[0].meta.matters[0].attachments.length, 100);
  assert.ok(api.of('POST /letters/known')[0].json.letters[0].to.length <= 300);
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.equal(await page.locator('main img, main script, main a[href^="javascript"]').count(), 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
});

scene('outside of Outlook the page says where it belongs, and leads to the help', async (stage) => {
  for (const [path, host] of [['/addin/outlook', null], ['/addin/word', null], ['/addin/outlook', 'Word']]) {
    const { page, api } = await read(stage, { path, office: { host } });
    await page.getByRole('heading', { name: 'This page belongs into Outlook or Word' }).waitFor();
    await page.getByRole('link', { name: 'How to use it' }).click();
    await page.getByRole('heading', { level: 1, name: /^Help/ }).waitFor();
    assert.equal(api.calls.length, 0);
  }
});
