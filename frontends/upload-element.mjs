/**
 * `<darkroom-upload>`: choose, drop, paste or photograph images, and see how their upload goes.
 *
 * Attributes: `api` (the stack's output `UploadApiUrl`), `token-url` (an address of your server that returns
 * `{"token": …, "expires_s": …, "api": …}` for `?prefix=…`), `prefix` of keys, `max-pixels`, `max-side`, `type`,
 * `quality` and `keep-metadata` of the preparation, `capture` (`environment` or `user`: a button for the camera, on
 * devices that are operated by touch), `single`, `whole-page` (files may be dropped and pasted anywhere), `resume` (a
 * name under which unfinished uploads are stored on this device), `no-report`, `name` (of a form's field with the keys).
 * Attributes are read when files are added.
 *
 * Properties: `token` (in place of `token-url`), `keyOf`, `prepare` (in place of the attributes), `texts`, `uploader`.
 *
 * Events, which bubble: `darkroom-upload-change`, and `darkroom-upload-end` once an upload has ended. `detail` is the
 * item. A child with `slot="file-<id>"` is shown in the card of an item.
 */
import { MEDIA_TYPES } from './tables.mjs';
import { formatBytes, hasEnded, tokensFrom, Uploader } from './upload.mjs';
import { STYLE } from './upload-style.mjs';
import { escapeControls } from './visible-text.mjs';

/** Texts of the element. Replace some by the property `texts`, which may contain those of `ERROR_TEXTS`, too. */
export const TEXTS = {
    choose: 'Choose images',
    drop: ', drop or paste them here',
    camera: 'Take a photo',
    files: 'Uploads',
    retry: 'Try again',
    cancel: 'Cancel',
    remove: 'Remove',
    waiting: 'waiting',
    preparing: 'preparing',
    sending: 'sending',
    offline: 'waiting for a connection',
    processing: 'processing',
    moderation: 'being checked',
    ready: 'ready',
    held: 'held for review',
    refused: 'rejected',
    failed: 'failed',
    cancelled: 'cancelled',
    heldReason: 'The image is shown once a reviewer has released it.',
    resumed: 'Unfinished uploads are continued.',
};

const REPEATED_NAMES = /^image\.(jpe?g|png|heic)$/i; // the name of every photograph and every pasted image

function make(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter(Boolean));
    return made;
}


/** The card of one item. */
class Card {
    #texts;
    #image;
    #parts;

    constructor(item, texts, act) {
        this.#texts = texts;
        const button = (name, onclick) => make('button', { type: 'button', textContent: texts[name], onclick, hidden: true });
        this.#parts = {
            chip: make('span', { className: 'chip', part: 'state' }),
            detail: make('div', { className: 'detail' }),
            bar: make('progress', { max: 1, value: 0, hidden: true }),
            reason: make('div', { className: 'reason', hidden: true }),
            retry: button('retry', () => act('retry')),
            cancel: button('cancel', () => act('cancel')),
            remove: button('remove', () => act('remove')),
        };
        const { chip, detail, bar, reason, retry, cancel, remove } = this.#parts;
        const name = escapeControls(item.name);
        bar.setAttribute('aria-label', name);
        for (const each of [retry, cancel, remove]) {
            each.setAttribute('aria-label', `${each.textContent}: ${name}`);
        }
        this.#image = make('img', { alt: '' });
        this.#image.onerror = () => this.#image.remove(); // a type that this browser does not display
        this.element = make('li', { className: 'file', tabIndex: -1 },
            make('div', { className: 'thumb', ariaHidden: 'true' }, extensionOf(name), item.file && this.#image),
            make('div', { className: 'body' },
                make('div', { className: 'head' }, make('b', { textContent: name }), chip),
                detail, bar, reason, make('slot', { name: `file-${item.id}` }),
                make('div', { className: 'buttons' }, retry, cancel, remove)));
        this.element.setAttribute('part', 'file');
        if (item.file) {
            this.#image.src = URL.createObjectURL(item.file);
        }
        this.show(item);
    }

    show(item) {
        const { chip, detail, bar, reason, retry, cancel, remove } = this.#parts;
        const { state, share, error } = item;
        this.element.dataset.state = state;
        chip.className = `chip ${state}`;
        chip.textContent = state === 'sending' ? `${this.#texts.sending} ${Math.round(share * 100)} %` : this.#texts[state];
        bar.hidden = state !== 'sending';
        bar.value = share;
        detail.replaceChildren(...(item.key ? [make('code', { textContent: escapeControls(item.key) }), ' · '] : []), sizesOf(item));
        const why = state === 'held' ? this.#texts.heldReason : error?.message ?? '';
        reason.hidden = !why;
        reason.replaceChildren(why, ...(error?.detail ? [make('small', { textContent: escapeControls(error.detail) })] : []));
        retry.hidden = !['failed', 'cancelled'].includes(state);
        cancel.hidden = hasEnded(item) || state === 'processing' || state === 'moderation';
        remove.hidden = !['failed', 'cancelled', 'refused'].includes(state);
    }

    remove() {
        URL.revokeObjectURL(this.#image.src);
        this.element.remove();
    }
}

const extensionOf = name => (/\.([^.]{1,5})$/.exec(name)?.[1] ?? '').toUpperCase();

function sizesOf({ size, sentSize, note }) {
    const sizes = size === sentSize ? formatBytes(size) : `${formatBytes(size)} → ${formatBytes(sentSize)}`;
    return note ? `${sizes} · ${note}` : sizes;
}

export class DarkroomUpload extends HTMLElement {
    static formAssociated = true;

    #internals = this.attachInternals();
    #root = this.attachShadow({ mode: 'open' });
    #cards = new Map();
    #ended = new Set();
    #listening;
    #before = null;
    #parts;
    #uploader;

    /** An upload token, or a function of a key that requests one from your server. */
    token = this.token ?? null; // a page may have set it before the element was defined
    /** A function of a name and a file that returns the key. */
    keyOf = this.keyOf ?? null;
    /** A Preparation, null for none; undefined takes it from the attributes. */
    prepare = this.prepare;
    /** Texts in place of those of TEXTS and ERROR_TEXTS. */
    texts = this.texts ?? {};

    /** The Uploader, created from the attributes when it is first needed. */
    get uploader() {
        if (!this.#uploader) {
            const url = this.getAttribute('token-url');
            const element = this;
            this.#uploader = new Uploader({
                api: this.getAttribute('api') ?? '',
                token: this.token ?? (url === null ? '' : tokensFrom(url)),
                // Read when a file is added: a page may change the folder and the preparation.
                get keyOf() { return element.keyOf ?? undefined; },
                get prefix() { return element.getAttribute('prefix') ?? ''; },
                get prepare() { return element.#preparation(); },
                journal: this.getAttribute('resume') ?? '',
                report: !this.hasAttribute('no-report'),
                texts: this.texts,
            });
            this.#uploader.addEventListener('change', event => this.#show(event.detail));
        }
        return this.#uploader;
    }

    connectedCallback() {
        this.#parts ??= this.#render();
        this.#listening = new AbortController();
        const { signal } = this.#listening;
        const place = this.hasAttribute('whole-page') ? document : this;
        const listen = (name, act) => place.addEventListener(name, event => {
            if (event.dataTransfer.types.includes('Files')) { // and no text
                event.preventDefault(); // a file that is dropped elsewhere replaces the page
                act(event);
            }
        }, { signal });
        const mark = on => this.#parts.drop.classList.toggle('over', on);
        listen('dragover', () => mark(true));
        listen('dragleave', ({ relatedTarget }) => mark(relatedTarget !== null && place.contains(relatedTarget)));
        listen('drop', ({ dataTransfer }) => {
            mark(false);
            this.add(dataTransfer.files);
        });
        place.addEventListener('paste', event => this.#paste(event), { signal });
        if (this.hasAttribute('resume')) {
            this.#resume();
        }
    }

    disconnectedCallback() {
        this.#listening.abort();
    }

    /** Add files, and start their upload. */
    add(files) {
        this.#parts ??= this.#render();
        this.#before = this.#parts.list.firstChild; // newer files are above older ones
        const chosen = this.hasAttribute('single') ? [...files].slice(0, 1) : [...files];
        const items = this.uploader.add(chosen.map(named));
        this.#before = null;
        return items;
    }

    /** Stop all uploads, and delete what is stored on this device, as when a person signs out. */
    forget() {
        return this.uploader.forget();
    }

    async #resume() {
        const items = await this.uploader.resume();
        if (items.length) {
            this.#announce(this.#text('resumed'));
        }
    }

    #text(name) {
        return this.texts[name] ?? TEXTS[name];
    }

    #preparation() {
        if (this.prepare !== undefined) {
            return this.prepare;
        }
        const number = name => (this.hasAttribute(name) ? Number(this.getAttribute(name)) : undefined);
        return {
            maxPixels: number('max-pixels'),
            maxSide: number('max-side'),
            quality: number('quality'),
            type: this.getAttribute('type') ?? undefined,
            strip: !this.hasAttribute('keep-metadata'),
        };
    }

    #render() {
        const accept = ['image/*', ...Object.keys(MEDIA_TYPES).map(name => `.${name}`)].join();
        const input = more => {
            const made = make('input', { type: 'file', accept, ...more });
            made.addEventListener('change', () => {
                this.add(made.files);
                made.value = '';
            });
            return made;
        };
        const choose = input({ id: 'choose', multiple: !this.hasAttribute('single') });
        const drop = make('label', { className: 'drop' }, choose,
            make('span', {}, make('b', { textContent: this.#text('choose') }), this.#text('drop')),
            make('span', { className: 'note' }, make('slot', { name: 'note' })));
        drop.setAttribute('part', 'drop');
        const camera = make('label', { className: 'camera', hidden: !this.hasAttribute('capture') });
        if (this.hasAttribute('capture')) {
            const photograph = input({ id: 'camera', accept: 'image/*' });
            photograph.setAttribute('capture', this.getAttribute('capture') || 'environment');
            camera.append(photograph, this.#text('camera'));
        }
        const list = make('ol', { className: 'files' });
        list.setAttribute('aria-label', this.#text('files'));
        const status = make('p', { className: 'spoken' });
        status.setAttribute('role', 'status'); // which implies aria-live="polite"
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
        this.#root.adoptedStyleSheets = [sheet];
        this.#root.append(drop, camera, make('slot'), list, status);
        return { drop, list, status };
    }

    /** Images in the clipboard are added; text stays with the field that it is pasted into. */
    #paste(event) {
        const files = [...(event.clipboardData?.files ?? [])].filter(file => file.type.startsWith('image/'));
        if (files.length) {
            event.preventDefault();
            this.add(files);
        }
    }

    #show(item) {
        const card = this.#cards.get(item.id);
        if (card) {
            card.show(item);
        } else {
            this.#addCard(item);
        }
        this.#emit('change', item);
        if (!hasEnded(item)) {
            this.#ended.delete(item.id);
        } else if (!this.#ended.has(item.id)) {
            this.#ended.add(item.id);
            this.#announce(`${item.name}: ${this.#text(item.state)}. ${item.error?.message ?? ''}`);
            this.#setValue();
            this.#emit('end', item);
        }
    }

    #addCard(item) {
        const act = action => {
            const card = this.#cards.get(item.id);
            card.element.focus(); // the button disappears
            this.uploader[action](item);
            if (action === 'remove') {
                card.remove();
                this.#cards.delete(item.id);
                this.#emit('change', item);
            }
        };
        const card = new Card(item, { ...TEXTS, ...this.texts }, act);
        this.#cards.set(item.id, card);
        this.#parts.list.insertBefore(card.element, this.#before);
    }

    #announce(text) {
        this.#parts.status.textContent = escapeControls(text.trim());
    }

    /** As a field of a form, the element has the keys of the images that arrived. */
    #setValue() {
        const keys = new FormData();
        for (const { key, state } of this.uploader.items) {
            if (state === 'ready' || state === 'held') {
                keys.append(this.getAttribute('name') ?? '', key);
            }
        }
        this.#internals.setFormValue(this.hasAttribute('name') ? keys : null);
    }

    #emit(name, item) {
        this.dispatchEvent(new CustomEvent(`darkroom-upload-${name}`, { detail: item, bubbles: true, composed: true }));
    }
}

/** Give a photograph or a pasted image the time as its name, so that it does not replace the one before. */
function named(file) {
    if (!REPEATED_NAMES.test(file.name)) {
        return file;
    }
    const time = new Date().toISOString().replace(/[-:.]/g, '').slice(0, 18);
    return new File([file], `image-${time}${file.name.slice(5)}`, { type: file.type, lastModified: file.lastModified });
}

customElements.define('darkroom-upload', DarkroomUpload);
