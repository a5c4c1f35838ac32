// Stands in for modules of Node that libraries import and do not use in a browser.

export const URL = globalThis.URL;
export class EventEmitter {}
export default { URL, EventEmitter };
