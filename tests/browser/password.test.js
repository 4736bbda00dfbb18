// Coming in with a one-time link and with a password.

import assert from 'node:assert/strict';

import { choosePassword, comeIn, field, mistake, notice, press, refusal, sees, signIn, signOut, typePassword } from './support/doing.js';
import { PASSWORD } from './support/firm.js';
import { stage } from './support/scenes.js';

const scene = stage();

const WRONG = /^E-mail and password do not fit/;

scene('the first administrator comes in by the link that the command line prints', async ({ world, open }) => {
  const page = await open();
  const link = await world.invited('boss@firm.example', '--admin', '--name', 'Bea Boss');
  await page.goto(link);
  await sees(page, 'Set your password');
  assert.match(await page.locator('main').innerText(), /Bea Boss \(boss@firm\.example\)/);

  await choosePassword(page, 'short');
  assert.match(await refusal(page), /^The password has 5 characters; it needs at least \d+\.$/);
  assert.match(await mistake(page, 'New password'), /^The password has 5 characters;/);

  await choosePassword(page, PASSWORD, `${PASSWORD} `);
  assert.equal(await refusal(page), 'The two are not the same. Type the password anew.');
  assert.match(await mistake(page, 'The same once more'), /^The two are not the same/);

  await choosePassword(page, PASSWORD);
  await sees(page, 'Good to see you, Bea Boss');
  assert.equal(new URL(page.url()).pathname, '/');
  const pages = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();
  assert.deepEqual(pages, ['Start', 'Hand in', 'Linked accounts', 'Your sessions and tokens', 'Persons', 'Services', 'Audit', 'Data uploads', 'What works', 'Add-ins']);

  // Once only: also for whoever finds the link in the history of the browser.
  const other = await open();
  assert.equal((await other.goto(link)).status(), 403);
  assert.equal(await refusal(other), 'This one-time link does not work any more. Ask an administrator for a new one.');
  await other.getByRole('link', { name: 'To the sign-in' }).click();
  await sees(other, 'Sign in');
});

scene('a new link ends the one before', async ({ world, open }) => {
  const page = await open();
  const first = await world.invited('again@firm.example');
  const [second] = await world.command('person', 'invite', 'again@firm.example');
  assert.equal((await page.goto(first)).status(), 403);
  await page.goto(second.url ?? second.invitation.url);
  await choosePassword(page, PASSWORD);
  await sees(page, 'Good to see you, again@firm.example');
});

scene('who is signed out is asked again, and comes back to the page they wanted', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'out@firm.example', '--name', 'Otto Out');
  await signOut(page);
  await page.goto('/account?from=a%26b');
  await sees(page, 'Sign in');
  await typePassword(page, 'OUT@firm.example', PASSWORD);
  await sees(page, 'Your sessions and tokens');
  assert.equal(new URL(page.url()).search, '?from=a%26b');
  // What the browser still remembers of a page is not the page.
  await signOut(page);
  await page.goBack();
  await sees(page, 'Sign in');
});

scene('the sign-in leads to no other place', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'then@firm.example');
  for (const then of ['https://elsewhere.example/', '//elsewhere.example', '/\\elsewhere.example', 'javascript:alert(1)']) {
    await signOut(page);
    await page.goto(`/auth/sign-in?then=${encodeURIComponent(then)}`);
    await typePassword(page, 'then@firm.example', PASSWORD);
    await sees(page, /^Good to see you/);
    assert.equal(new URL(page.url()).pathname, '/', then);
  }
});

scene('a wrong password tells nothing about who is known', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'known@firm.example');
  await signOut(page);
  const told = [];
  for (const email of ['known@firm.example', 'nobody@firm.example']) {
    await page.goto('/auth/sign-in');
    const answer = page.waitForResponse((it) => it.url().endsWith('/auth/password'));
    await typePassword(page, email, 'not the right one');
    const status = (await answer).status();
    const text = await refusal(page);
    assert.equal(await field(page, 'E-mail').inputValue(), email);
    assert.equal(await field(page, 'Password').inputValue(), '');
    const html = (await page.content()).replaceAll(email, '').replaceAll(/value="[^"]*"/g, '');
    told.push({ status, text, html });
  }
  assert.match(told[0].text, WRONG);
  assert.equal(told[0].status, 403);
  assert.deepEqual(told[0], told[1]);
});

scene('after five wrong passwords the right one does not help either, and nobody is told why', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'locked@firm.example', '--name', 'Lou Locked');
  await signOut(page);
  const told = new Set();
  for (let tries = 0; tries < 5; tries += 1) {
    await typePassword(page, 'locked@firm.example', `wrong password ${tries}`);
    told.add(await refusal(page));
  }
  await typePassword(page, 'locked@firm.example', PASSWORD);
  told.add(await refusal(page));
  assert.equal(told.size, 1);
  assert.match([...told][0], WRONG);

  await world.command('person', 'unlock', 'locked@firm.example');
  await typePassword(page, 'locked@firm.example', PASSWORD);
  await sees(page, 'Good to see you, Lou Locked');
});

scene('a changed password ends the other sessions', async ({ world, open }) => {
  const here = await open();
  const elsewhere = await open();
  await comeIn(world, here, 'change@firm.example');
  await signIn(elsewhere, 'change@firm.example');

  await here.goto('/account');
  const change = async (old, fresh) => {
    await field(here, 'Present password').fill(old);
    await field(here, 'New password').fill(fresh);
    await press(here, 'Change it');
  };
  await change('not the present one', 'eight brown envelopes');
  assert.equal(await refusal(here), 'The present password is not right.');
  assert.equal(await mistake(here, 'Present password'), 'The present password is not right.');
  await change(PASSWORD, 'short');
  assert.match(await mistake(here, 'New password'), /^The password has 5 characters; it needs at least \d+\.$/);
  await change(PASSWORD, 'eight brown envelopes');
  assert.equal(await notice(here), 'The password is changed.');

  await elsewhere.goto('/');
  await sees(elsewhere, 'Sign in');
  await typePassword(elsewhere, 'change@firm.example', PASSWORD);
  assert.match(await refusal(elsewhere), WRONG);
  await typePassword(elsewhere, 'change@firm.example', 'eight brown envelopes');
  await sees(elsewhere, /^Good to see you/);
});

scene('a form that another site sends does nothing', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'forged@firm.example');
  // The simulator's host stands for the other site: same machine, another origin, and the browser has our cookies.
  await page.goto(`${world.highq.url}/authorize.action`);
  const sent = page.waitForResponse((it) => it.url() === `${world.url}/account/tokens`);
  const arrived = page.waitForURL(`${world.url}/account/tokens`);
  await page.evaluate((address) => {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = address;
    document.body.append(form);
    form.submit();
  }, `${world.url}/account/tokens`);
  assert.equal((await sent).status(), 403);
  await arrived;
  await page.goto('/account');
  assert.match(await page.getByRole('region', { name: 'Table of tokens' }).innerText(), /None\./);
});
