// Looking after persons, the audit, and the report of what works.

import assert from 'node:assert/strict';

import { choosePassword, comeIn, field, isNoPage, mistake, notice, press, refusal, sees, signIn, signOut } from './support/doing.js';
import { PASSWORD } from './support/firm.js';
import { stage } from './support/scenes.js';

const scene = stage();

const ADMIN_PAGES = ['/admin/persons', '/admin/links', '/admin/audit', '/admin/capabilities'];

let administrators = 0;
async function administrator(world, open) {
  const page = await open();
  administrators += 1;
  await comeIn(world, page, `boss${administrators}@firm.example`, '--admin', '--name', `Boss ${administrators}`);
  return page;
}

/** From the list to one person. */
async function openPerson(page, name) {
  await page.goto('/admin/persons');
  await field(page, 'Name or e-mail contains').fill(name);
  await press(page, 'Look');
  await page.getByRole('link', { name, exact: true }).click();
  await sees(page, name);
}

const oneTimeLink = (page) => page.locator('code.secret').innerText();

scene('a person is added, let in by a one-time link, changed and shut out', async ({ world, open }) => {
  const boss = await administrator(world, open);
  await boss.goto('/admin/persons');
  await field(boss, 'E-mail').fill('new@firm.example');
  await field(boss, 'How they are called').fill('Nelly New');
  await field(boss, 'Teams').fill('litigation, property');
  await press(boss, 'Add');
  await sees(boss, 'Nelly New');
  await press(boss, 'Make a one-time link');
  const link = await oneTimeLink(boss);
  // It is in this answer only.
  await openPerson(boss, 'Nelly New');
  assert.equal(await boss.locator('code.secret').count(), 0);

  const person = await open();
  await person.goto(link);
  await choosePassword(person, PASSWORD);
  await sees(person, 'Good to see you, Nelly New');
  assert.match(await person.locator('main').innerText(), /Teams\s+litigation, property/);

  await openPerson(boss, 'Nelly New');
  await field(boss, 'How they are called').fill('Nelly Newer');
  await press(boss, 'Save');
  assert.equal(await notice(boss), 'Saved.');
  await person.goto('/');
  await sees(person, 'Good to see you, Nelly Newer');

  await boss.getByLabel('May they come in?').selectOption({ label: 'No, not any more' });
  await press(boss, 'Save');
  assert.equal(await notice(boss), 'Saved.');
  await person.goto('/');
  await sees(person, 'Sign in');
});

scene('mistakes are told beside what was typed', async ({ world, open }) => {
  const boss = await administrator(world, open);
  await boss.goto('/admin/persons');
  await field(boss, 'E-mail').fill('boss1@firm.example');
  await field(boss, 'How they are called').fill('An Other');
  await press(boss, 'Add');
  assert.equal(await refusal(boss), 'Another person has this e-mail.');
  assert.equal(await mistake(boss, 'E-mail'), 'Another person has this e-mail.');
  assert.equal(await field(boss, 'How they are called').inputValue(), 'An Other');
  await field(boss, 'E-mail').fill('other@firm.example');
  await field(boss, 'Home site').fill('not a site!');
  await press(boss, 'Add');
  assert.match(await mistake(boss, 'Home site'), /^Home site: /);
});

scene('of two administrators who change a person, the second is told', async ({ world, open }) => {
  await world.invited('twice@firm.example', '--name', 'Tess Twice');
  const [one, two] = [await administrator(world, open), await administrator(world, open)];
  await openPerson(one, 'Tess Twice');
  await openPerson(two, 'Tess Twice');
  await field(one, 'How they are called').fill('Tess Thrice');
  await press(one, 'Save');
  assert.equal(await notice(one), 'Saved.');
  await field(two, 'Teams').fill('property');
  await press(two, 'Save');
  assert.equal(await refusal(two), 'Somebody else changed this meanwhile. Below is how it is now.');
  assert.equal(await field(two, 'How they are called').inputValue(), 'Tess Thrice');
});

scene('a locked person is unlocked, a session ended, a token revoked', async ({ world, open }) => {
  const boss = await administrator(world, open);
  const person = await open();
  await comeIn(world, person, 'kept@firm.example', '--name', 'Kay Kept');
  await person.goto('/account');
  await field(person, 'What is it for?').fill('the scanner');
  await field(person, 'Days until it ends').fill('7');
  await press(person, 'Make the token');
  const token = await person.locator('code.secret').innerText();
  assert.equal((await world.api('/api/v1/me', token)).status, 200);
  await person.goto('/account');
  assert.equal(await person.locator('code.secret').count(), 0);

  await openPerson(boss, 'Kay Kept');
  await press(boss, /^Revoke the scanner/);
  assert.equal(await notice(boss), 'The token is revoked.');
  assert.equal((await world.api('/api/v1/me', token)).status, 401);
  await press(boss, /^End the session/);
  assert.equal(await notice(boss), 'The session is ended.');
  await person.goto('/');
  await sees(person, 'Sign in');

  for (let tries = 0; tries < 5; tries += 1) {
    await field(person, 'E-mail').fill('kept@firm.example');
    await field(person, 'Password').fill('wrong wrong wrong');
    await press(person, 'Sign in');
    await person.getByRole('alert').waitFor();
  }
  await openPerson(boss, 'Kay Kept');
  await press(boss, 'Unlock');
  assert.equal(await notice(boss), 'Unlocked.');
  await signIn(person, 'kept@firm.example');
});

scene('one ends a session of one’s own elsewhere', async ({ world, open }) => {
  const [here, there] = [await open(), await open()];
  await comeIn(world, here, 'own@firm.example');
  await signIn(there, 'own@firm.example');
  await here.goto('/account');
  const sessions = await here.getByRole('region', { name: 'Table of sessions' }).locator('tbody tr').allInnerTexts();
  assert.equal(sessions.filter((it) => it.startsWith('Chrome on Linux')).length, 2);
  assert.equal(sessions.filter((it) => it.includes('this browser')).length, 1);
  await press(here, /^End the session/);
  assert.equal(await notice(here), 'The session is ended.');
  await there.goto('/');
  await sees(there, 'Sign in');
});

scene('the last administrator cannot be undone', async ({ world, open }) => {
  // In a world of its own this is the only one; here the others are made users first.
  const boss = await administrator(world, open);
  for (const other of await world.command('person', 'list', 'boss')) {
    if (other.display_name !== `Boss ${administrators}`) await world.command('person', 'set', other.email, '--role', 'user');
  }
  await openPerson(boss, `Boss ${administrators}`);
  await boss.getByLabel('admin', { exact: true }).uncheck();
  await boss.getByLabel('user', { exact: true }).check();
  await press(boss, 'Save');
  assert.match(await refusal(boss), /^Nobody would be left who may administer\./);
});

scene('whoever has no permission finds no page', async ({ world, open }) => {
  const table = [
    ['user', []],
    ['auditor', ['/admin/audit']],
    ['operator', []],
    ['support', []],
  ];
  for (const [role, allowed] of table) {
    const page = await open();
    await comeIn(world, page, `${role}@firm.example`, '--role', role);
    const menu = await page.getByRole('navigation').getByRole('link').evaluateAll((all) => all.map((it) => it.getAttribute('href')));
    for (const path of ADMIN_PAGES) {
      const listed = menu.includes(path);
      if (allowed.length > 0 || role === 'user') assert.equal(listed, allowed.includes(path), `${role} ${path}`);
      if (listed) assert.equal((await page.goto(path)).status(), 200, `${role} ${path}`);
      else await isNoPage(page, path);
    }
    await isNoPage(page, '/admin/persons/01900000-0000-7000-8000-000000000000');
    await isNoPage(page, '/no/such/page');
  }
});

scene('the audit tells who did what, and proves that nobody changed it', async ({ world, open }) => {
  const boss = await administrator(world, open);
  const name = `boss${administrators}@firm.example`;
  await world.invited('seen@firm.example', '--name', 'Sean Seen');
  await openPerson(boss, 'Sean Seen');
  await field(boss, 'Teams').fill('property');
  await press(boss, 'Save');

  await boss.goto('/admin/audit');
  const rows = boss.getByRole('region', { name: 'Audit' }).locator('tbody tr');
  assert.match(await rows.first().innerText(), new RegExp(`${name}\\s+person changed`));
  await field(boss, 'Who').fill('nobody at all');
  await press(boss, 'Look');
  assert.match(await rows.first().innerText(), /^Nothing fits here\.$/);
  await field(boss, 'Who').fill(name);
  await field(boss, 'What').selectOption({ label: 'signed in' });
  await press(boss, 'Look');
  assert.equal(await rows.count(), 1);
  assert.match(await rows.first().innerText(), new RegExp(`${name}\\s+signed in`));

  await press(boss, 'Check the whole history');
  const verdict = boss.locator('#verdict');
  await verdict.waitFor();
  const head = await boss.locator('code.secret').innerText();
  assert.match(head, /^\d+:[0-9a-f]{64}$/);
  assert.equal(await boss.locator('section.attention').count(), 0);

  // Against a number and hash noted before: the same history passes, another does not.
  await field(boss, 'A number and hash noted before').fill(head);
  await press(boss, 'Check the whole history');
  assert.equal(await boss.locator('section.attention').count(), 0);
  await verdict.waitFor();
  await field(boss, 'A number and hash noted before').fill(head.replace(/:.*/, `:${'0'.repeat(64)}`));
  await press(boss, 'Check the whole history');
  await boss.locator('section.attention').waitFor();
  await field(boss, 'A number and hash noted before').fill('not a hash');
  await press(boss, 'Check the whole history');
  await boss.getByRole('alert').waitFor();

  const exported = boss.waitForEvent('download');
  await boss.goto('/admin/audit');
  await boss.getByRole('link', { name: 'JSON Lines' }).click();
  assert.match((await exported).suggestedFilename(), /\.jsonl$/);
});

scene('the report tells what will not work, and asks every connection when told to', async ({ world, open }) => {
  const boss = await administrator(world, open);
  await boss.goto('/admin/capabilities');
  await sees(boss, 'What works, and what does not');
  assert.match(await boss.locator('main').innerText(), /This is what the settings tell\./);
  await press(boss, 'Ask every connection now');
  await boss.getByText('Every connection was asked just now.').waitFor();
  const before = await boss.locator('section.card .state.bad').count();

  await world.openid.fault('discovery', { kind: 'status', status: 503 });
  await press(boss, 'Ask every connection now');
  await boss.getByText('Every connection was asked just now.').waitFor();
  assert.ok((await boss.locator('section.card .state.bad').count()) > before);
  await signOut(boss);
});
