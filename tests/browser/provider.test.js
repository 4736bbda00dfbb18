// Coming in with an account elsewhere: OpenID Connect and Microsoft Entra ID.

import assert from 'node:assert/strict';

import { approve, button, comeIn, press, sees, signOut } from './support/doing.js';
import { FIRM, MICROSOFT, isOut, isRefused, setOut } from './support/provider.js';
import { stage } from './support/scenes.js';

const scene = stage();

/**
 * The address that the provider sends the browser back to, kept from the browser so that a test can do with it what it likes. What is
 * caught is the provider's own page: redirects on the way are the browser's affair.
 */
async function keepCallback(world, page, who) {
  let address;
  const pages = `${world.openid.url}/_page/*`;
  await page.route(pages, async (route) => {
    const answer = await route.fetch({ maxRedirects: 0 });
    if (answer.status() >= 400 || !answer.headers().location) return route.fulfill({ response: answer });
    address = answer.headers().location;
    return route.fulfill({ contentType: 'text/html', body: '<h1>kept</h1>' });
  });
  await press(page, who);
  const kept = page.getByRole('heading', { name: 'kept' });
  const allow = button(page, 'Allow');
  await kept.or(allow).waitFor();
  if (await allow.isVisible()) await allow.click();
  await kept.waitFor();
  await page.unroute(pages);
  return new URL(address);
}

scene('a person of the firm comes in, is made a person, and gets the page they wanted', async ({ world, open }) => {
  const page = await open();
  await page.goto('/links?from=mail');
  await sees(page, 'Sign in');
  const ways = await page.getByRole('listitem').getByRole('link').allInnerTexts();
  // iManage's sign-in is hidden.
  assert.deepEqual(ways, [FIRM, MICROSOFT]);
  await page.getByRole('link', { name: FIRM }).click();
  await page.getByRole('heading', { name: /^Sign in to/ }).waitFor();
  await press(page, /^Lea New /);
  await press(page, 'Allow');
  await sees(page, 'Your linked accounts');
  assert.equal(new URL(page.url()).search, '?from=mail');
  await page.goto('/');
  await sees(page, 'Good to see you, Lea New');
  assert.match(await page.locator('main').innerText(), /l\.new@firm\.example\s+Roles\s+user\s+Sites\s+main/);

  const persons = await world.command('person', 'list', 'l.new@firm.example');
  assert.equal(persons.length, 1);

  // The second time the provider knows them, and nobody becomes a second person.
  await signOut(page);
  await page.getByRole('link', { name: FIRM }).click();
  await sees(page, 'Good to see you, Lea New');
  assert.equal((await world.command('person', 'list', 'l.new')).length, 1);
});

scene('the same human comes in with Microsoft, as the same person', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  await approve(world, page, /^Jonah Reed /);
  await sees(page, 'Good to see you, Jonah Reed');
  await signOut(page);
  await setOut(page, MICROSOFT);
  const allow = button(page, 'Allow');
  await allow.click();
  await sees(page, 'Good to see you, Jonah Reed');
  const persons = await world.command('person', 'list', 'j.reed');
  assert.deepEqual(persons.map((it) => it.identities.map((one) => one.service)), [['firm', 'microsoft']]);
});

scene('Microsoft makes a person by the rule for the domain', async ({ world, open }) => {
  const page = await open();
  await setOut(page, MICROSOFT);
  await approve(world, page, /^Work Admin /);
  await sees(page, 'Good to see you, Work Admin');
  // Somebody else's tenant is nobody's firm.
  const other = await open();
  await world.openid.fault('token', { kind: 'flaw', flaw: 'foreign_tenant' });
  await world.openid.switches({ approve_as: 't.chen@firm.example' });
  await setOut(other, MICROSOFT);
  await isRefused(other, /^The provider's answer could not be used/);
  await isOut(other);
});

scene('an e-mail that anybody can get makes no person', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  await approve(world, page, /^Frida Free /);
  await isRefused(page, /^This account is not known here\. Ask an administrator to add you\.$/);
  await isOut(page);
});

scene('an e-mail that the provider does not vouch for makes no person, and opens none', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  await approve(world, page, /^Una Sure /);
  await isRefused(page, /e-mail is not confirmed at the provider/);
  // Somebody has that e-mail here: the unvouched account is not theirs.
  const other = await open();
  await comeIn(world, other, 'u.sure@firm.example');
  await setOut(page);
  await isRefused(page, /e-mail is not confirmed at the provider/);
  await isOut(page);
});

scene('who has to wait for an administrator is told so', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  await approve(world, page, /^Xenia Guest /);
  await isRefused(page, /an administrator has to let you in first/);
  const [guest] = await world.command('person', 'list', 'x.guest');
  assert.equal(guest.status, 'pending');
  await world.command('person', 'set', 'x.guest@outside.example', '--status', 'active');
  await setOut(page);
  await sees(page, 'Good to see you, Xenia Guest');
  await world.command('person', 'set', 'x.guest@outside.example', '--status', 'disabled');
  await isOut(page);
  await setOut(page);
  await isRefused(page, /Your access has been ended/);
});

scene('no means no: cancelled, denied, refused by the provider', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  await press(page, 'Cancel');
  await isRefused(page, /^The provider said no, or it was cancelled there\.$/);
  await page.getByRole('link', { name: 'To the sign-in' }).click();
  await page.getByRole('link', { name: FIRM }).click();
  await press(page, /^Tao Chen /);
  await press(page, 'Deny');
  await isRefused(page, /^The provider said no/);
  await world.openid.switches({ deny: true });
  await setOut(page);
  await isRefused(page, /^The provider said no/);
  await isOut(page);
});

scene('a callback works once, in the browser that began, with the state that it was given', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  const address = (await keepCallback(world, page, /^Mina Patel /)).href;

  const forged = new URL(address);
  forged.searchParams.set('state', 'f'.repeat(64));
  await page.goto(forged.href);
  await isRefused(page, /took too long or was used already/);
  forged.searchParams.delete('state');
  await page.goto(forged.href);
  await isRefused(page, /took too long or was used already/);
  // The same state at another provider's address is another provider's answer.
  await page.goto(address.replace('/callback/firm', '/callback/microsoft'));
  await isRefused(page, /took too long or was used already/);

  const stranger = await open();
  await stranger.goto(address);
  await isRefused(stranger, /begun in another browser/);
  await isOut(stranger);

  // None of these ended the sign-in of who began it.
  await page.goto(address);
  await sees(page, 'Good to see you, Mina Patel');
  await page.goto(address);
  await isRefused(page, /took too long or was used already/, 'That did not work');
  await page.getByRole('link', { name: 'To the start page' }).click();
  await signOut(page);
  await page.goto(address);
  await isRefused(page, /took too long or was used already/);
  await isOut(page);
});

scene('a made-up code lets nobody in', async ({ world, open }) => {
  const page = await open();
  await setOut(page);
  const forged = await keepCallback(world, page, /^Mina Patel /);
  forged.searchParams.set('code', 'made-up');
  await page.goto(forged.href);
  await isRefused(page, /^The provider's answer could not be used\. Please try again\.$/);
  await isOut(page);
});

scene('a provider that returns another state, or none, lets nobody in', async ({ world, open }) => {
  const page = await open();
  for (const state of ['wrong', 'drop']) {
    await world.openid.switches({ state, approve_as: 'm.patel@firm.example' });
    await setOut(page);
    await isRefused(page, /took too long or was used already/);
  }
  await isOut(page);
});

scene('a hidden way in works for those who know it', async ({ world, open }) => {
  const page = await open();
  await page.goto('/auth/imanage');
  await page.getByRole('heading', { name: /^Sign in to/ }).waitFor();
  // Switched off ways, and names that there are none of, are no way in.
  await page.goto('/auth/highq');
  await isRefused(page, /^This way of signing in or linking is not offered here\.$/);
  await page.goto('/auth/nosuch');
  await isRefused(page, /^This way of signing in or linking is not offered here\.$/);
  await isOut(page);
});
