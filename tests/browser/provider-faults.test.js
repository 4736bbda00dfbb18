// What a provider can get wrong: nobody comes in, and it is told in plain words. Apart from the other sign-ins, because the server
// bounds how many one address may get wrong in a minute.

import assert from 'node:assert/strict';

import { refusal, sees } from './support/doing.js';
import { isOut, isRefused, setOut } from './support/provider.js';
import { stage } from './support/scenes.js';

const scene = stage();

scene('whatever is wrong with the token, nobody comes in', async ({ world, open }) => {
  const page = await open();
  await world.openid.switches({ approve_as: 'm.patel@firm.example' });
  for (const flaw of ['alg_none', 'wrong_audience', 'wrong_issuer', 'wrong_nonce', 'expired', 'bad_signature', 'hmac_with_public_key', 'garbage']) {
    await world.openid.fault('token', { kind: 'flaw', flaw });
    await setOut(page);
    await isRefused(page, /^The provider's answer could not be used/);
    await world.openid.mend();
    await isOut(page);
  }
});

scene('a provider that is down, or answers with a page, is told of in plain words', async ({ world, open }) => {
  const page = await open();
  await world.openid.switches({ approve_as: 'm.patel@firm.example' });
  const faults = [
    ['token', { kind: 'status', status: 503 }],
    ['token', { kind: 'html' }],
    ['token', { kind: 'close' }],
    ['token', { kind: 'status', status: 500, body: '<h1>secret stack trace</h1>' }],
    ['keys', { kind: 'status', status: 503 }],
    ['keys', { kind: 'html' }],
    ['keys', { kind: 'close' }],
  ];
  for (const [op, action] of faults) {
    const about = `${op}: ${JSON.stringify(action)}`;
    // Keys are kept; another signing key makes them be asked for.
    if (op === 'keys') await world.openid.rotateKeys();
    await world.openid.fault(op, action);
    await setOut(page);
    await sees(page, 'You are not signed in');
    const said = await refusal(page);
    assert.match(said, /^The provider('s answer could not be used| cannot be reached now)/, about);
    assert.doesNotMatch(await page.content(), /stack trace/, about);
    await world.openid.mend();
    await isOut(page);
  }
});

scene('too many sign-ins from one address are told to wait', async ({ open }) => {
  const page = await open();
  let answer;
  for (let tries = 0; tries < 70; tries += 1) {
    answer = await page.goto('/auth/callback/firm?state=made-up&code=x');
    if (answer.status() === 429) break;
  }
  assert.equal(answer.status(), 429);
  assert.match(await refusal(page), /^Too many attempts came from this address\.\s+Try again in \d+ seconds\.$/);
});
