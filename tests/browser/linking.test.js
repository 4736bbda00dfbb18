// Linking accounts at the DMSs: one's own, and the system account.

import assert from 'node:assert/strict';

import { approve, approveIfAsked, card, comeIn, isNoPage, notice, press, refusal, sees, setOutToLink, signIn, signOut } from './support/doing.js';
import { stage } from './support/scenes.js';

const scene = stage();

const state = (page, title) => card(page, title).locator('.state').first().innerText();

scene('accounts are linked at iManage, NetDocuments and HighQ, and removed', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'm.patel@firm.example', '--name', 'Mina Patel');
  for (const [title, account] of [
    ['iManage Work', /Mina Patel\s*<m\.patel@firm\.example>/],
    ['NetDocuments', /Mina Patel\s*<m\.patel@firm\.example>/],
    // HighQ tells nothing but the e-mail.
    ['HighQ', /m\.patel@firm\.example/],
  ]) {
    await setOutToLink(page, title);
    await approve(world, page, /^Mina Patel/);
    await sees(page, 'Your linked accounts');
    assert.match(await notice(page), /^The account (Mina Patel|m\.patel@firm\.example) is linked\.$/);
    assert.equal(await state(page, title), 'Linked');
    assert.match(await card(page, title).innerText(), account);
  }

  await card(page, 'NetDocuments').getByRole('link', { name: /^Unlink/ }).click();
  await sees(page, 'Unlink the account?');
  assert.match(await page.locator('main').innerText(), /Your account Mina Patel <m\.patel@firm\.example> at NetDocuments/);
  await page.getByRole('link', { name: 'Keep it' }).click();
  assert.equal(await state(page, 'NetDocuments'), 'Linked');
  await card(page, 'NetDocuments').getByRole('link', { name: /^Unlink/ }).click();
  await press(page, 'Unlink it');
  assert.equal(await notice(page), 'The account is not linked any more.');
  assert.equal(await state(page, 'NetDocuments'), 'Not linked');
  assert.equal(await state(page, 'iManage Work'), 'Linked');
});

scene("an account with another e-mail is used only after its owner's word", async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'mina@home.example', '--name', 'Mina At Home');
  await setOutToLink(page, 'NetDocuments');
  await approve(world, page, /^Tao Chen/);
  await sees(page, 'Is this the right account?');
  const text = await page.locator('main').innerText();
  assert.match(text, /You linked the account Tao Chen <t\.chen@firm\.example> at NetDocuments\./);
  assert.match(text, /Your own e-mail is mina@home\.example/);

  // Who goes away instead finds the question again.
  await page.goto('/links');
  assert.equal(await state(page, 'NetDocuments'), 'Waits until the account is confirmed');
  await card(page, 'NetDocuments').getByRole('link', { name: /^Look at it/ }).click();
  await press(page, 'No, unlink it');
  assert.equal(await notice(page), 'The account is not linked any more.');
  assert.equal(await state(page, 'NetDocuments'), 'Not linked');

  await setOutToLink(page, 'NetDocuments');
  await approveIfAsked(world, page, /^Tao Chen/);
  await press(page, 'Yes, it is mine');
  assert.equal(await notice(page), 'The account Tao Chen is linked.');
  assert.equal(await state(page, 'NetDocuments'), 'Linked');

  // An account belongs to one person.
  const other = await open();
  await comeIn(world, other, 't.chen@firm.example', '--name', 'Tao Chen');
  await setOutToLink(other, 'NetDocuments');
  await approve(world, other, /^Tao Chen/);
  assert.equal(await refusal(other), 'The account Tao Chen is linked to another person already.');
  await other.goto('/links');
  assert.equal(await state(other, 'NetDocuments'), 'Not linked');
});

scene('who changes their mind at the service has linked nothing', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'j.reed@firm.example', '--name', 'Jonah Reed');
  await setOutToLink(page, 'HighQ');
  await press(page, 'Cancel');
  await page.waitForURL(/\/auth\/callback\//);
  assert.match(await refusal(page), /^The provider said no, or it was cancelled there\.$/);
  await page.getByRole('link', { name: 'To the start page' }).click();
  await page.goto('/links');
  assert.equal(await state(page, 'HighQ'), 'Not linked');

  for (const action of [{ kind: 'html' }, { kind: 'status', status: 503 }, { kind: 'close' }]) {
    await world.netdocuments.fault('token', action);
    await setOutToLink(page, 'NetDocuments');
    await approveIfAsked(world, page, /^Jonah Reed/);
    assert.match(await refusal(page), /^The provider('s answer could not be used| cannot be reached now)/);
    await world.netdocuments.mend();
    await page.goto('/links');
    assert.equal(await state(page, 'NetDocuments'), 'Not linked');
  }
});

scene('what one window began, another person in the same browser does not end', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'first@firm.example');
  await setOutToLink(page, 'NetDocuments');
  const second = await page.context().newPage();
  await second.goto('/');
  await signOut(second);
  await comeIn(world, second, 'second@firm.example');
  await approve(world, page, /^Kim Old|^Work Admin/);
  assert.match(await refusal(page), /^This sign-in was begun in another browser/);
  await page.goto('/links');
  assert.equal(await state(page, 'NetDocuments'), 'Not linked');
});

scene('two browsers of one person link at once: one link, and clear words', async ({ world, open }) => {
  const [one, two] = [await open(), await open()];
  await comeIn(world, one, 'twice@firm.example');
  await signIn(two, 'twice@firm.example');
  await Promise.all([setOutToLink(one, 'NetDocuments'), setOutToLink(two, 'NetDocuments')]);
  // The answers of both arrive together.
  await Promise.all([approve(world, one, /^Postroom service/), approve(world, two, /^Work Admin/)]);
  for (const page of [one, two]) {
    const heading = await page.getByRole('heading', { level: 1 }).innerText();
    if (heading === 'That did not work') {
      assert.match(await refusal(page), /^The link changed meanwhile, perhaps in another window\. Look again\.$/);
    } else {
      assert.equal(heading, 'Is this the right account?');
    }
  }
  // Whoever was last, one account is linked, and the question is about that one.
  await Promise.all([one.goto('/links'), two.goto('/links')]);
  const text = await card(one, 'NetDocuments').innerText();
  assert.match(text, /Waits until the account is confirmed/);
  assert.equal(text, await card(two, 'NetDocuments').innerText());

  await card(one, 'NetDocuments').getByRole('link', { name: /^Look at it/ }).click();
  await press(one, 'No, unlink it');
  assert.equal(await state(one, 'NetDocuments'), 'Not linked');
});

scene('a confirmation counts for the account that was shown', async ({ world, open }) => {
  const [one, two] = [await open(), await open()];
  await comeIn(world, one, 'shown@firm.example');
  await signIn(two, 'shown@firm.example');
  await setOutToLink(one, 'HighQ');
  await approve(world, one, /^Tao Chen/);
  await sees(one, 'Is this the right account?');
  // Meanwhile another account is linked elsewhere.
  await two.goto('/links');
  await card(two, 'HighQ').getByRole('link', { name: /^Unlink/ }).click();
  await press(two, 'Unlink it');
  await setOutToLink(two, 'HighQ');
  await approve(world, two, /^Jonah Reed/);
  await sees(two, 'Is this the right account?');

  await press(one, 'Yes, it is mine');
  await one.getByRole('alert').waitFor();
  await one.goto('/links');
  assert.match(await card(one, 'HighQ').innerText(), /Waits until the account is confirmed[^]*j\.reed@firm\.example/);
});

scene('a link that a team needs is asked for once per sign-in, and not on each page', async ({ world, open }) => {
  const page = await open();
  const asked = page.getByRole('heading', { name: 'Link your NetDocuments account' });
  await comeIn(world, page, 'k.lit@firm.example', '--team', 'litigation');
  assert.equal(await asked.count(), 1);
  for (const path of ['/', '/links', '/account', '/']) {
    await page.goto(path);
    assert.equal(await asked.count(), 0, path);
  }
  await page.goto('/links');
  assert.match(await card(page, /^NetDocuments/).innerText(), /required for your team/);
  await signOut(page);
  await signIn(page, 'k.lit@firm.example');
  assert.equal(await asked.count(), 1);

  // From there it is one click to the service.
  await press(page, 'Link NetDocuments');
  await approve(world, page, /^Jonah Reed/);
  await press(page, 'Yes, it is mine');
  await signOut(page);
  await signIn(page, 'k.lit@firm.example');
  assert.equal(await asked.count(), 0);
});

scene('the system account is linked by an administrator, who confirms it', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'boss@firm.example', '--admin', '--name', 'Bea Boss');
  await page.goto('/admin/links');
  assert.equal(await state(page, 'NetDocuments'), 'Not linked');
  await press(page, /^Link a system account ?: NetDocuments/);
  await approve(world, page, /^Postroom service/);
  await sees(page, 'Is this the right account?');
  assert.match(await page.locator('main').innerText(), /It becomes the system account/);
  await press(page, 'Yes, use it as system account');
  await sees(page, 'Services and system accounts');
  assert.equal(await notice(page), 'The account Postroom service is linked.');
  assert.equal(await state(page, 'NetDocuments'), 'Linked');

  // The administrator sees everybody's links, and can remove them.
  const person = await open();
  await comeIn(world, person, 'x.guest@outside.example', '--name', 'Xenia Guest');
  await setOutToLink(person, 'NetDocuments');
  await approve(world, person, /^Xenia Guest/);
  assert.equal(await state(person, 'NetDocuments'), 'Linked');
  await isNoPage(person, '/admin/links');
  await page.goto('/admin/links');
  const row = card(page, 'NetDocuments').getByRole('row', { name: /x\.guest@outside\.example/ });
  await row.getByRole('link', { name: /^Unlink/ }).click();
  assert.match(await page.locator('main').innerText(), /The account of x\.guest@outside\.example/);
  await press(page, 'Unlink it');
  await person.goto('/links');
  assert.equal(await state(person, 'NetDocuments'), 'Not linked');

  await page.goto('/admin/links');
  await card(page, 'NetDocuments').getByRole('link', { name: /^Unlink ?: NetDocuments/ }).click();
  assert.match(await page.locator('main').innerText(), /The system account Postroom service/);
  await press(page, 'Unlink it');
  assert.equal(await state(page, 'NetDocuments'), 'Not linked');
});
