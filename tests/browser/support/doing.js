// What people do in front of the pages.

import assert from 'node:assert/strict';

import { PASSWORD } from './firm.js';

/** A button by its words: the whole of them, or the beginning where more follows for screen readers. */
export const button = (page, name) => page.getByRole('button', { name, exact: typeof name === 'string' });

export const press = (page, name) => button(page, name).click();

/** Sends a form, and waits until its answer is there: a page that is loaded anew before that takes the form back. */
export async function send(page, name) {
  const answered = page.waitForEvent('load');
  await press(page, name);
  await answered;
}

/** A field by its whole label. */
export const field = (page, label) => page.getByLabel(label, { exact: true });

/** The heading that says which page this is. */
export async function sees(page, title) {
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

/** The message of what went wrong, whole. */
export async function refusal(page) {
  return (await page.getByRole('alert').innerText()).trim();
}

/** What is wrong with a field, as it stands beside it. The cursor goes there by itself. */
export async function mistake(page, label) {
  const input = field(page, label);
  assert.equal(await input.getAttribute('aria-invalid'), 'true', label);
  // The page sets the cursor when it is whole, which on a busy machine is a moment later.
  await page.waitForFunction((it) => it === document.activeElement, await input.elementHandle());
  const ids = (await input.getAttribute('aria-describedby')).split(' ');
  return (await page.locator(`#${ids.at(-1)}`).innerText()).trim();
}

/** What was done, as the page says it. */
export async function notice(page) {
  return (await page.getByRole('status').innerText()).trim();
}

export async function choosePassword(page, password, again = password) {
  await field(page, 'New password').fill(password);
  await field(page, 'The same once more').fill(again);
  await press(page, 'Set the password and sign in');
}

export async function typePassword(page, email, password) {
  await field(page, 'E-mail').fill(email);
  await field(page, 'Password').fill(password);
  await press(page, 'Sign in');
}

export async function signOut(page) {
  await press(page, 'Sign out');
  await sees(page, 'Sign in');
}

/** Comes in by a one-time link, made just now at the command line. */
export async function comeIn(world, page, email, ...options) {
  await page.goto(await world.invited(email, ...options));
  await choosePassword(page, PASSWORD);
  await sees(page, /^Good to see you/);
}

/** Comes in by password. */
export async function signIn(page, email, password = PASSWORD) {
  await page.goto('/auth/sign-in');
  await typePassword(page, email, password);
  await sees(page, /^Good to see you/);
}

/** At a provider: who one is, and `Allow` where it is asked for. Leaves when the browser is back. */
export async function approve(world, page, who) {
  const person = page.getByRole('button', { name: who }).or(page.getByRole('link', { name: who }));
  await person.click();
  const allow = button(page, 'Allow');
  await allow.or(page.locator('header.top')).first().waitFor();
  if (await allow.isVisible()) await allow.click();
  await page.waitForURL((url) => url.origin === world.url);
}

/** Begins to link a service from one's accounts. */
export async function setOutToLink(page, title) {
  await page.goto('/links');
  await press(page, new RegExp(`^Link (your account|again) ?: ${title}`));
}

/** At a service that knows the browser already, nobody is asked who they are: waits for either. */
export async function approveIfAsked(world, page, who) {
  const back = page.getByRole('heading', { level: 1, name: /^(Is this the right account|Your linked accounts|That did not work)/ });
  const asked = page.getByRole('heading', { name: /^Sign in to the simulated/ });
  await asked.or(back).waitFor();
  if (await asked.isVisible()) await approve(world, page, who);
}

/** The card of a service. */
export const card = (page, title) => page.locator('section.card', { has: page.getByRole('heading', { level: 2, name: title }) });

/** Whoever may not see a page is told that there is none. */
export async function isNoPage(page, path) {
  const answer = await page.goto(path);
  assert.equal(answer.status(), 404, path);
  await sees(page, 'There is no such page');
}
