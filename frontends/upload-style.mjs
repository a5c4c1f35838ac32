/** Style of `<darkroom-upload>`. The variables `--darkroom-…` and the parts `drop`, `file` and `state` can be set by the page. */
export const STYLE = `
:host {
    --_accent: var(--darkroom-accent, light-dark(#b93a0b, #f0682f));
    --_ink: var(--darkroom-ink, light-dark(#1c1917, #f0ebe5));
    --_soft: var(--darkroom-soft, light-dark(#6b645d, #a69d93));
    --_line: var(--darkroom-line, light-dark(#ddd7cf, #3a342f));
    --_card: var(--darkroom-card, light-dark(#ffffff, #211d1a));
    --_back: var(--darkroom-back, light-dark(#efece7, #2b2622));
    --_good: var(--darkroom-good, light-dark(#15803d, #4ade80));
    --_busy: var(--darkroom-busy, light-dark(#a16207, #facc15));
    --_bad: var(--darkroom-bad, light-dark(#b91c1c, #f87171));
    display: block;
    color: var(--_ink);
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.drop {
    display: grid;
    justify-items: center;
    gap: 0.2rem;
    padding: clamp(1.5rem, 6vw, 3rem) 1rem;
    border: 2px dashed var(--_line);
    border-radius: 10px;
    background: var(--_card);
    text-align: center;
    cursor: pointer;
    position: relative;
}
.drop b { color: var(--_accent); }
.note { color: var(--_soft); font-size: 0.9em; }
.drop input { position: absolute; inset: 0; width: 100%; opacity: 0; cursor: pointer; }
.drop:hover, .drop.over { border-color: var(--_accent); }
.drop.over { background: color-mix(in srgb, var(--_accent) 8%, var(--_card)); }
.drop:has(:focus-visible), .camera:has(:focus-visible), button:focus-visible, .file:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.camera {
    display: block;
    position: relative;
    margin-top: 0.6rem;
    padding: 0.7rem;
    border: 1px solid var(--_line);
    border-radius: 10px;
    background: var(--_card);
    text-align: center;
    font-weight: 600;
}
.camera input { position: absolute; inset: 0; width: 100%; opacity: 0; }
@media (pointer: fine) { .camera { display: none; } }
.files { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.9rem; }
.files:not(:empty) { margin-top: 1.2rem; }
.file {
    display: grid;
    grid-template-columns: 112px minmax(0, 1fr);
    border: 1px solid var(--_line);
    border-radius: 10px;
    background: var(--_card);
    overflow: hidden;
}
.file:focus:not(:focus-visible) { outline: none; }
.thumb { display: grid; place-items: center; background: var(--_back); color: var(--_soft); font-size: 0.8em; font-weight: 600; position: relative; min-height: 84px; }
.thumb img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; }
.body { padding: 0.65rem 0.85rem 0.75rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.35rem; align-content: start; }
.head { display: flex; flex-wrap: wrap; gap: 0.2rem 0.7rem; align-items: center; }
.head b { overflow-wrap: anywhere; font-size: 0.95em; }
.chip {
    padding: 0 0.5em;
    border-radius: 999px;
    border: 1px solid currentColor;
    font-size: 0.72em;
    font-weight: 600;
    line-height: 1.5;
    color: var(--_busy);
    font-variant-numeric: tabular-nums;
}
.chip.ready { color: var(--_good); }
.chip.refused, .chip.failed { color: var(--_bad); }
.chip.cancelled { color: var(--_soft); }
.detail { color: var(--_soft); font-size: 0.84em; overflow-wrap: anywhere; }
.detail code { color: var(--_ink); font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.95em; }
.reason { overflow-wrap: anywhere; font-size: 0.92em; }
.reason small { display: block; color: var(--_soft); font-size: 0.9em; }
progress { width: 100%; height: 8px; border: 0; border-radius: 4px; overflow: hidden; appearance: none; background: var(--_line); }
progress::-webkit-progress-bar { background: var(--_line); }
progress::-webkit-progress-value { background: var(--_accent); border-radius: 4px; }
progress::-moz-progress-bar { background: var(--_accent); border-radius: 4px; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.4rem; }
.buttons:not(:has(button:not([hidden]))) { display: none; }
button {
    font: inherit;
    font-size: 0.84em;
    color: inherit;
    cursor: pointer;
    padding: 0.2rem 0.75rem;
    border-radius: 999px;
    border: 1px solid var(--_line);
    background: transparent;
}
button:hover { border-color: var(--_soft); }
.spoken { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 620px) { .file { grid-template-columns: 72px minmax(0, 1fr); } }
`;
