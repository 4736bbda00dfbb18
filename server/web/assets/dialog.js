// Hands the add-in its token, at the end of the sign-in in Office's dialog. The message is one JSON text:
//   {"kind": "postroom-token", "version": 1, "token": "pr_…", "expires": "2026-11-24T21:00:00Z", "person": "mary@harrow.example"}
// It goes to a parent on this server's own origin only.
(() => {
  const text = document.getElementById("hand-back");
  const { message, origin } = text.dataset;
  // The token is in the page no longer than needed.
  text.removeAttribute("data-message");
  const outside = () => {
    text.hidden = true;
    document.getElementById("outside").hidden = false;
  };
  if (window.Office === undefined) return outside();
  Office.onReady((info) => {
    if (!info || !info.host || !Office.context || !Office.context.ui) return outside();
    Office.context.ui.messageParent(message, { targetOrigin: origin });
  });
})();
