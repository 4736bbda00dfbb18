// Opens a page of Postroom, or one of this extension's.

/** Outer measures: what a browser draws around a page leaves it 400 by 300. */
const SMALL = { type: 'popup', width: 416, height: 340 };

/** Signing in happens there: this extension holds no token and sends nothing itself. */
export const open = (url, view) => (view === 'tab' ? chrome.tabs.create({ url }) : chrome.windows.create({ url, ...SMALL }));

/** Says why nothing was opened. */
export const say = (why) => open(chrome.runtime.getURL(`notice.html?why=${why}`), 'window');
