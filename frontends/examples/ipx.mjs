// On a server: send requests of pages that were written for ipx to Darkroom.
import { ipxUrl } from '../ipx.mjs';
import { signUrl } from '../sign.mjs';

const base = 'https://images.example.com';
const sign = url => signUrl(url, process.env.DARKROOM_SIGNING_KEY);

/** An answer to a request of `/_ipx/…`, by the Fetch API. */
export function redirectIpx(request) {
    try {
        const location = ipxUrl(new URL(request.url).pathname, { base, sign });
        return new Response(null, { status: 301, headers: { location } });
    } catch (error) {
        return new Response(error.message, { status: 400 });
    }
}
