// The pane with the real server behind it: the message ends in the DMS, as the person chose, once.

import assert from 'node:assert/strict';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { comeIn, press } from './support/doing.js';
import { withOffice } from './support/office.js';
import { LETTER, SIZE } from './support/pane.js';
import { stage } from './support/scenes.js';

const MATTERS = [['L-1001', 'Harrow v Teal'], ['L-1002', 'Birch lease']];

/** Folders as the DMS, and two seconds to take something back. */
const scene = stage(({ folder }) => `
[outlook]
area = "matter_documents"
undo_seconds = 2

[[destinations]]
name = "files"
kind = "folder"
[destinations.folder]
root = ${JSON.stringify(`${folder}/dms`)}

[[repositories]]
name = "files"
area = "matter_documents"
service = "files"
resolver = "default"
resolver_config = "[workitem.reference]"
`);

const EML = ['From: Bea Birch <bea@birch.example>', 'To: Mina Patel <mina@firm.example>', 'Subject: Draft lease', 'Message-ID: <one@client.example>', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: text/plain', '', 'Here it is.', '--b', 'Content-Type: text/plain', 'Content-Disposition: attachment; filename="lease.txt"', '', 'the lease', '--b--', ''].join('\r\n');

/** Everything that lies in the DMS: folder of the matter, and the beginning of the text. */
async function held(world) {
  const all = await readdir(join(world.folder, 'dms'), { recursive: true, withFileTypes: true });
  const files = all.filter((it) => it.isFile() && !it.name.startsWith('.'));
  const texts = files.map(async (it) => {
    const path = join(it.parentPath ?? it.path, it.name);
    return [path.split('/dms/')[1].split('/')[0], (await readFile(path, 'utf8')).slice(0, 9)];
  });
  // What the folder keeps of its own beside them is none of ours.
  return (await Promise.all(texts)).filter(([, text]) => text && !text.startsWith('{')).sort();
}

/** The two matters, the tag of the second, and a token as the dialog hands out. */
async function firm({ world, open }) {
  for (const [reference] of MATTERS) await mkdir(join(world.folder, 'dms', reference), { recursive: true });
  // The matters are there from the second scene on.
  const boss = await open({ expects: /409/ });
  await comeIn(world, boss, `boss${Math.random()}@firm.example`, '--admin');
  const ask = (page, path, body) =>
    page.evaluate(
      async ([to, json]) => {
        const answer = await fetch(to, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) });
        return answer.json();
      },
      [path, body],
    );
  const tags = [];
  for (const [reference, title] of MATTERS) tags.push(await ask(boss, '/api/v1/work-items', { reference, title, work_type: 'matter', client: { name: 'Birch & Sons' }, participants: [{ role: 'client', name: 'Bea Birch', email: 'bea@birch.example' }] }));
  const { secret } = await ask(boss, '/api/v1/tokens', { name: 'add-in', days: 1 });
  return { secret, tag: tags[1].luggage_tag };
}

async function pane({ world, open }, token, item, options = {}) {
  const page = await open({ viewport: SIZE, expects: options.expects });
  await withOffice(page, { item, dialog: { token } });
  await page.goto('/addin/outlook');
  await press(page, 'Sign in');
  await page.getByRole('heading', { level: 1, name: item.subject }).waitFor();
  return page;
}

const job = (page, words) => page.locator('.job').first().getByText(words, { exact: true }).first().waitFor({ timeout: 30_000 });

scene('signed in, suggested, filed to two matters, found filed; offline in the middle it is filed once; taken back it is not', async (given) => {
  const { world } = given;
  const { secret, tag } = await firm(given);
  const item = { ...LETTER, subject: `Draft lease ${tag}`, eml: EML.replace('Draft lease', `Draft lease ${tag}`), headers: '', attachments: [{ id: 'a', name: 'lease.txt', size: 9, isInline: false }] };
  const page = await pane(given, secret, item, { expects: /./ });
  // By its tag it is certain.
  const birch = page.locator('section.chosen', { has: page.getByRole('heading', { name: 'L-1002 Birch lease' }) });
  await birch.waitFor();

  // Taken back at once: nothing is in the DMS.
  await press(page, 'File');
  await page.getByRole('button', { name: /^Undo/ }).click();
  await job(page, 'Taken back. Nothing was filed.');
  await birch.waitFor();
  assert.deepEqual(await held(world), []);

  // To two, with different parts, and the connection is gone when the button is pressed.
  const search = page.getByRole('combobox');
  await search.pressSequentially('harrow');
  await page.getByRole('option', { name: /L-1001/ }).click();
  const harrow = page.locator('section.chosen', { has: page.getByRole('heading', { name: 'L-1001 Harrow v Teal' }) });
  await harrow.getByLabel('The e-mail').uncheck();
  await birch.getByLabel(/lease\.txt/).uncheck();
  await page.context().setOffline(true);
  await press(page, 'File to 2 matters');
  await job(page, /^No connection to .* filed once/);
  await page.context().setOffline(false);
  await job(page, 'Filed.');
  assert.deepEqual(await held(world), [['L-1001', 'the lease'], ['L-1002', 'From: Bea']]);

  // Whoever opens it next is told; and the matters are at hand.
  await page.reload();
  await page.locator('.notice.filed').getByText('L-1002 Birch lease').waitFor();
  await page.getByRole('button', { name: 'Bookmark L-1001 Harrow v Teal' }).click();
  await page.getByText('L-1001 Harrow v Teal is bookmarked.').waitFor({ state: 'attached' });
  await page.evaluate(() => globalThis.fake.open(null));
  await page.locator('.list.bookmarked').getByText('Harrow v Teal').waitFor();
  await page.locator('.filings').getByText('filed').first().waitFor();
});

scene('written, where the server does not read the sent items: it says so, and nothing goes with the message', async (given) => {
  const { world } = given;
  const { secret } = await firm(given);
  const page = await given.open({ viewport: SIZE });
  await withOffice(page, { item: { compose: true, subject: 'Our offer' }, dialog: { token: secret } });
  await page.goto('/addin/outlook');
  await press(page, 'Sign in');
  await page.getByText('are not read here. Send the e-mail, open it in Sent Items, and file it there.').waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.fake.item.session), {});
  assert.deepEqual((await (await world.api('/api/v1/send-intents', secret)).json()).items, []);
});

scene('Word: the document lies in the DMS', async (given) => {
  const { secret } = await firm(given);
  const page = await given.open({ viewport: SIZE });
  await withOffice(page, { host: 'Word', dialog: { token: secret }, document: { url: 'https://x/Agreement.docx', content: 'agreement' } });
  await page.goto('/addin/word');
  await press(page, 'Sign in');
  const search = page.getByRole('combobox');
  await search.pressSequentially('harrow');
  await page.getByRole('option', { name: /L-1001/ }).first().click();
  await press(page, 'File');
  await job(page, 'Filed.');
  assert.ok((await held(given.world)).some(([place, text]) => place === 'L-1001' && text === 'agreement'));
});
