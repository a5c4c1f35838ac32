// The theme puts each button that copies code into a landmark without a name, of which screen readers list dozens.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll('.md-code__nav:not([role])')) nav.setAttribute('role', 'none');
}).observe(document.documentElement, { childList: true, subtree: true });
