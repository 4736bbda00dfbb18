// The add-in's dialog: signs in, and hands the add-in a token.

import assert from 'node:assert/strict';

import { approve, comeIn, press, sees, typePassword } from './support/doing.js';
import { PASSWORD } from './support/firm.js';
import { stage } from './support/scenes.js';

const scene = stage();

const OFFICE = 'https://appsforoffice.microsoft.com/**';

/** Office.js as far as the dialog uses it: what is handed to the parent is kept. */
const FAKE = `
  globalThis.handed = [];
  globalThis.Office = {
    onReady: (ready) => setTimeout(() => ready({ host: 'Outlook', platform: 'OfficeOnline' })),
    context: { ui: { messageParent: (text, options) => globalThis.handed.push({ text, options }) } },
  };
`;

/** Outside of Office the script is there, but says that there is no host. */
const OUTSIDE = `globalThis.Office = { onReady: (ready) => setTimeout(() => ready({ host: null, platform: null })), context: {} };`;

const office = (page, script) =>
  page.route(OFFICE, (route) => route.fulfill({ contentType: 'text/javascript', body: script }));

/** What was handed to the add-in, when it was. */
async function handed(page, world) {
  await page.waitForFunction(() => globalThis.handed?.length > 0);
  const all = await page.evaluate(() => globalThis.handed);
  assert.equal(all.length, 1);
  // To our own origin only: whatever page else opened the dialog gets nothing.
  assert.deepEqual(all[0].options, { targetOrigin: world.url });
  return JSON.parse(all[0].text);
}

async function isTokenOf(world, message, email) {
  const { kind, version, token, expires, person } = message;
  assert.deepEqual({ kind, version, person }, { kind: 'postroom-token', version: 1, person: email });
  assert.ok(Date.parse(expires) > Date.now());
  const answer = await world.api('/api/v1/me', token);
  assert.equal(answer.status, 200);
  const me = await answer.json();
  assert.equal(me.you.name, email);
  assert.equal((await world.api('/api/v1/persons', token)).status, 403, 'the token is for handing in');
}

scene('signing in with a password in the dialog hands the add-in a token', async ({ world, open }) => {
  const earlier = await open();
  await comeIn(world, earlier, 'addin@firm.example', '--admin');

  const page = await open({ viewport: { width: 400, height: 300 } });
  await office(page, FAKE);
  await page.goto('/auth/dialog');
  await sees(page, 'Sign in');
  await typePassword(page, 'addin@firm.example', 'wrong wrong wrong');
  await page.getByRole('alert').waitFor();
  await typePassword(page, 'addin@firm.example', PASSWORD);
  const message = await handed(page, world);
  await isTokenOf(world, message, 'addin@firm.example');
  // The token does not stay in the page.
  assert.ok(!(await page.content()).includes(message.token));
  assert.equal(await page.locator('#hand-back').getAttribute('data-message'), null);

  // It is listed, and can be revoked where one is signed in.
  await earlier.goto('/account');
  const tokens = earlier.getByRole('region', { name: 'Table of tokens' });
  await tokens.getByRole('button', { name: /^Revoke/ }).click();
  assert.equal((await world.api('/api/v1/me', message.token)).status, 401);
});

scene('signing in with a provider in the dialog does, too', async ({ world, open }) => {
  const page = await open({ viewport: { width: 400, height: 300 } });
  await office(page, FAKE);
  await page.goto('/auth/dialog');
  await page.getByRole('link', { name: "Sign in with the firm's account" }).click();
  await approve(world, page, /^Mina Patel /);
  await isTokenOf(world, await handed(page, world), 'm.patel@firm.example');
});

scene('who is signed in already is asked before a token is made', async ({ world, open }) => {
  const page = await open();
  await office(page, FAKE);
  await comeIn(world, page, 'already@firm.example', '--name', 'Al Ready');
  await page.goto('/auth/dialog');
  await sees(page, 'Sign in to the add-in');
  assert.match(await page.locator('main').innerText(), /as Al Ready \(already@firm\.example\)/);
  assert.equal(await page.evaluate(() => globalThis.handed), undefined);
  await press(page, 'Continue');
  await isTokenOf(world, await handed(page, world), 'already@firm.example');
});

scene('outside of Office the page says so', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'outside@firm.example');
  for (const script of [OUTSIDE, '']) {
    await office(page, script);
    await page.goto('/auth/dialog');
    await press(page, 'Continue');
    await page.getByText('This window was not opened by the add-in').waitFor();
    assert.ok(await page.locator('#hand-back').isHidden());
    await page.unroute(OFFICE);
  }
});
