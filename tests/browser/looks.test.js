// Every page as it looks: accessible, not wider than the window, in light and dark, small and large; and usable by keyboard alone.

import assert from 'node:assert/strict';

import { isAccessible, overflow } from './support/axe.js';
import { approve, card, comeIn, field, press, sees, setOutToLink } from './support/doing.js';
import { PASSWORD } from './support/firm.js';
import { stage } from './support/scenes.js';
import { shot } from './support/shots.js';

const scene = stage();

const SIZES = {
  1280: { width: 1280, height: 800 },
  400: { width: 400, height: 300 },
  320: { width: 320, height: 568 },
};

/** Looks at the page as it is now in each colour and size, and keeps a picture of each. */
async function look(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      const about = `${name}, ${colorScheme}, ${size}`;
      // The small window of the add-in has the layout of the narrow one: there it is enough that nothing is cut off.
      if (size === '400') assert.equal(await overflow(page), 0, about);
      else await isAccessible(page, about);
      await shot(page, `${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'no-preference', forcedColors: 'active' });
  await isAccessible(page, `${name}, high contrast`);
  await page.emulateMedia({ forcedColors: 'none' });
}

scene('before the sign-in', async ({ world, open }) => {
  const page = await open();
  await page.goto('/auth/sign-in');
  await look(page, 'sign-in');
  await field(page, 'E-mail').fill('a.person.with.quite.a.long.name@a-firm-with-a-long-name.example');
  await field(page, 'Password').fill('wrong wrong wrong');
  await press(page, 'Sign in');
  await page.getByRole('alert').waitFor();
  await look(page, 'sign-in-wrong');
  await page.goto('/auth/callback/firm?state=forged&code=x');
  await look(page, 'not-signed-in');
  await page.goto('/auth/dialog');
  await look(page, 'dialog-sign-in');
  await page.goto(await world.invited('mary@firm.example', '--name', 'Mary Lamb'));
  await look(page, 'invitation');
  await field(page, 'New password').fill('short');
  await field(page, 'The same once more').fill('short');
  await press(page, 'Set the password and sign in');
  await look(page, 'invitation-short');
});

scene('what a person sees', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'm.patel@firm.example', '--name', 'Mina Patel', '--team', 'litigation');
  await look(page, 'home-required');
  await page.goto('/');
  await look(page, 'home');
  await page.goto('/links');
  await look(page, 'links-none');
  await setOutToLink(page, 'NetDocuments');
  await approve(world, page, /^Mina Patel/);
  await look(page, 'links-linked');
  await setOutToLink(page, 'HighQ');
  await approve(world, page, /^Tao Chen/);
  await sees(page, 'Is this the right account?');
  await look(page, 'link-confirm');
  await page.goto('/links');
  await look(page, 'links-unconfirmed');
  await card(page, 'NetDocuments').getByRole('link', { name: /^Unlink/ }).click();
  await look(page, 'link-remove');

  // On the way to a service there is a page that most never see.
  await page.goto('/links');
  await page.route(`${world.imanage.url}/**`, (route) => route.fulfill({ status: 204 }));
  await press(page, /^Link your account ?: iManage/);
  await sees(page, 'Going to iManage Work');
  await isAccessible(page, 'on the way to a service');
  await page.unroute(`${world.imanage.url}/**`);

  await page.goto('/account');
  await look(page, 'account');
  await field(page, 'What is it for?').fill('the scanner on the second floor');
  await press(page, 'Make the token');
  await look(page, 'account-token');
  await field(page, 'Present password').fill('not this one');
  await field(page, 'New password').fill('eight brown envelopes');
  await press(page, 'Change it');
  await page.getByRole('alert').waitFor();
  await look(page, 'account-wrong');
  await page.goto('/auth/dialog');
  await look(page, 'dialog');
  // The add-in's window is small: what there is to do is seen without scrolling.
  await page.setViewportSize(SIZES[400]);
  const { y, height } = await page.getByRole('button', { name: 'Continue' }).boundingBox();
  assert.ok(y + height <= SIZES[400].height, `the button ends at ${y + height}`);
  await page.goto('/admin/persons');
  await look(page, 'no-page');
});

scene('what an administrator sees', async ({ world, open }) => {
  const page = await open();
  await comeIn(world, page, 'boss@firm.example', '--admin', '--name', 'Bea Boss');
  await look(page, 'home-admin');
  await page.goto('/admin/persons');
  await look(page, 'persons');
  await field(page, 'E-mail').fill('boss@firm.example');
  await press(page, 'Add');
  await page.getByRole('alert').waitFor();
  await look(page, 'persons-mistake');
  await world.invited('long@firm.example', '--name', 'Bartholomew Featherstonehaugh-Cholmondeley', '--team', 'litigation');
  await page.goto('/admin/persons');
  await page.getByRole('link', { name: /^Bartholomew/ }).click();
  await look(page, 'person');
  await press(page, 'Make a one-time link');
  await look(page, 'person-invited');
  await page.goto('/admin/links');
  await look(page, 'services');
  await press(page, /^Link a system account ?: NetDocuments/);
  await approve(world, page, /^Postroom service/);
  await look(page, 'system-confirm');
  await press(page, 'Yes, use it as system account');
  await look(page, 'services-linked');
  await page.goto('/admin/audit');
  await look(page, 'audit');
  await press(page, 'Check the whole history');
  await page.locator('#verdict').waitFor();
  await look(page, 'audit-verified');
  await page.goto('/admin/capabilities');
  await look(page, 'capabilities');
  await press(page, 'Ask every connection now');
  await page.getByText('Every connection was asked just now.').waitFor();
  await look(page, 'capabilities-live');
});

/** Presses Tab until something has the focus; each stop must be visible and marked. */
async function tabTo(page, target) {
  for (let stops = 0; stops < 40; stops += 1) {
    await page.keyboard.press('Tab');
    const marked = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none');
    assert.ok(marked, `no focus ring on ${await page.evaluate(() => document.activeElement.outerHTML)}`);
    if (await target.evaluate((it) => it === document.activeElement)) return;
  }
  assert.fail('it is not reached with Tab');
}

scene('the keyboard is enough', async ({ world, open }) => {
  const page = await open();
  const link = await world.invited('keys@firm.example', '--name', 'Kit Keys', '--admin');
  await page.goto(link);
  await tabTo(page, field(page, 'New password'));
  await page.keyboard.type(PASSWORD);
  await tabTo(page, field(page, 'The same once more'));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await sees(page, 'Good to see you, Kit Keys');

  // The first stop skips what is on every page.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await page.goto('/');
  await tabTo(page, page.getByRole('button', { name: 'Sign out' }));
  await page.keyboard.press('Enter');
  await sees(page, 'Sign in');
  await tabTo(page, field(page, 'E-mail'));
  await page.keyboard.type('keys@firm.example');
  await tabTo(page, field(page, 'Password'));
  await page.keyboard.type(PASSWORD);
  await tabTo(page, page.getByRole('button', { name: 'Sign in', exact: true }));
  await page.keyboard.press('Enter');
  await sees(page, 'Good to see you, Kit Keys');
  await tabTo(page, page.getByRole('navigation').getByRole('link', { name: 'Persons' }));
  await page.keyboard.press('Enter');
  await sees(page, 'Persons');
  await tabTo(page, page.getByRole('link', { name: 'Kit Keys' }));
});

scene('without scripts everything but the end of the add-in’s dialog works', async ({ world, open }) => {
  const page = await open({ javaScriptEnabled: false });
  await comeIn(world, page, 'plain@firm.example');
  await setOutToLink(page, 'NetDocuments');
  await approve(world, page, /^Work Admin/);
  await press(page, 'Yes, it is mine');
  await sees(page, 'Your linked accounts');
  await page.goto('/auth/dialog');
  await press(page, 'Continue');
  assert.match(await page.locator('noscript').innerText(), /need JavaScript, which is switched off here/);
});

scene('a large font and a narrow window hide nothing', async ({ world, open }) => {
  // Twice the letters in 640 are as much as usual ones in 320.
  const page = await open({ viewport: { width: 640, height: 480 } });
  await comeIn(world, page, 'large@firm.example', '--admin');
  const pages = ['/', '/upload', '/admin/data-uploads', '/links', '/account', '/admin/persons', '/admin/links', '/admin/audit', '/admin/capabilities', '/auth/dialog'];
  for (const path of pages) {
    await page.goto(path);
    await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
    assert.equal(await overflow(page), 0, path);
  }
});
