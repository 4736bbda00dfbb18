// Ways in by a provider, and how one is refused.

import assert from 'node:assert/strict';

import { refusal, sees } from './doing.js';

export const FIRM = "Sign in with the firm's account";
export const MICROSOFT = 'Sign in with Microsoft';

/** From the sign-in page to the provider's. */
export async function setOut(page, way = FIRM) {
  await page.goto('/auth/sign-in');
  await page.getByRole('link', { name: way }).click();
}

export async function isOut(page) {
  await page.goto('/');
  await sees(page, 'Sign in');
}

export async function isRefused(page, words, title = 'You are not signed in') {
  await sees(page, title);
  assert.match(await refusal(page), words);
}
