/**
 * Beacons of an experiment: which visitors saw its image, and who of them clicked. The CDN answers them without a
 * function and writes them into its access log, where they are counted.
 *
 * Nothing is sent without an identifier of the visitor, by which the CDN also chooses the variant.
 */

const VISITOR = /^[\w.-]{1,64}$/;

/** Share of an image that has to be in the window. */
const SHOWN = 0.5;

/** The identifier in the cookie `name`, '' without one. */
export const visitorInCookie = (name = 'visitor', cookies = document.cookie) =>
    cookies.split(/; */).map(pair => pair.split('=')).find(pair => pair[0] === name)?.[1] ?? '';

/** The URL of a beacon. */
export const beaconUrl = (base, event, experiment, visitor) =>
    `${base.replace(/\/$/, '')}/_/beacon?${new URLSearchParams({ event, exp: experiment, visitor })}`;

/**
 * Watches the images of an experiment: `<img>` whose URL has `exp=<experiment>`. A click counts on the image, or on the
 * link or button around it.
 *
 * @param {{base: string, experiment: string, visitor?: string, root?: ParentNode}} by  `base` is the address of the CDN,
 *   `visitor` the identifier in the cookie or the header of the experiment, by default that in the cookie `visitor`.
 *   `root` contains the images.
 * @returns {{click: () => void, stop: () => void}}  `click` counts another goal as the click, such as an order.
 */
export function watchExperiment({ base, experiment, visitor = visitorInCookie(), root = document }) {
    const sent = new Set();
    const stopped = new AbortController();
    const { signal } = stopped;
    const send = event => {
        if (VISITOR.test(visitor) && !sent.has(event) && !signal.aborted) {
            sent.add(event);
            const options = { mode: 'no-cors', credentials: 'omit', cache: 'no-store', keepalive: true };
            fetch(beaconUrl(base, event, experiment, visitor), options).catch(() => {});
        }
    };
    const click = () => {
        if (sent.has('view')) {
            send('click');
        }
    };
    const observer = new IntersectionObserver(entries => {
        if (entries.some(entry => entry.isIntersecting)) {
            send('view');
            observer.disconnect();
        }
    }, { threshold: SHOWN });
    const images = [...root.querySelectorAll('img')].filter(image => isOf(image, experiment));
    for (const image of images) {
        const see = () => image.naturalWidth && !signal.aborted && observer.observe(image); // not one that failed to load
        image.complete ? see() : image.addEventListener('load', see, { once: true, signal });
        (image.closest('a, button') ?? image).addEventListener('click', click, { signal });
    }
    return {
        click,
        stop() {
            stopped.abort();
            observer.disconnect();
        },
    };
}

function isOf(image, experiment) {
    const urls = [image.src, ...image.srcset.split(/,?\s+/)];
    return urls.some(url => url && new URL(url, document.baseURI).searchParams.get('exp') === experiment);
}
