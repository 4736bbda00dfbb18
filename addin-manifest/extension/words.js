// Puts the texts of the browser's language into a page.

/** A text by its key, with values where it has places for them. Always shown as text. */
export const word = (key, ...values) => chrome.i18n.getMessage(key, values.map(String)) || key;

export function translate() {
  document.documentElement.lang = word('language');
  for (const it of document.querySelectorAll('[data-word]')) it.textContent = word(it.dataset.word);
  document.title = word('name');
}
