// The plan of a request, and the variant of it that one viewer gets.

const scaled = (length, ratio) => String(Math.min(MAX_SIDE, Math.floor(length * ratio + 0.5)));

const scale = (plan, ratio) => ['w', 'h'].forEach(side => {
    if (plan[side]) {
        plan[side] = scaled(plan[side], ratio);
    }
});

// The normal form: darkroom.plan.normal, step by step.
function planOf(values) {
    const plan = {};
    OPTIONS.forEach(one => {
        const value = values[one.short];
        if (!APART.includes(one.short) && value !== undefined && value !== one.unset) {
            plan[one.short] = value;
        }
    });
    if (DATA_FORMATS.includes(plan.f)) {
        return plan.page ? {f: plan.f, page: plan.page} : {f: plan.f};
    }
    scale(plan, values.dpr || 1);
    if (!plan.w || !plan.h) {
        delete plan.fit;
    }
    if (!plan.w && !plan.h) {
        delete plan.up;
    }
    if (plan.fit !== 'cover') {
        delete plan.g;
    }
    if (plan.crop === 'pct-0-0-100-100') {
        delete plan.crop;
    }
    turnOnce(plan);
    if (LOSSLESS_FORMATS.includes(plan.f)) {
        delete plan.q;
    }
    if (plan.page || plan.redact || (plan.f && !ANIMATED_FORMATS.includes(plan.f))) {
        delete plan.anim;
    }
    if (!Object.keys(plan).length) {
        plan.w = plan.h = BARE_SIDE;
    }
    plan.f = plan.f || 'auto';
    return plan;
}

// A mirror from top to bottom is half a turn and one from left to right.
function turnOnce(plan) {
    const flip = plan.flip;
    const degrees = (+(plan.rot || 0) + (flip === 'v' || flip === 'hv' ? 180 : 0)) % 360;
    delete plan.flip;
    delete plan.rot;
    if (flip === 'h' || flip === 'v') {
        plan.flip = 'h';
    }
    if (degrees) {
        plan.rot = String(degrees);
    }
}

const optionsText = plan =>
    Object.keys(plan).filter(name => name !== 'f').sort().map(name => name + '-' + plan[name]).join('_') || 'full';

// What a canonical request may hold besides its start; the longest encoding of a key leaves something.
function checkLength(start, plan) {
    const room = Math.min(MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES - start.length);
    if (optionsText(plan).length > room) {
        wrong('The options are longer than ' + room + ' characters together');
    }
}

const lastPart = plan => optionsText(plan) + '.' + plan.f;

const isLadder = plan => Object.keys(plan).length === 2 && LADDER.includes(+plan.w);

// The cost guard: what anyone may ask for in guarded mode.
const isUnsigned = plan => isLadder(plan) || UNSIGNED.includes(lastPart(plan));

// Negotiation

const saving = plan =>
    (plan.f === 'auto' && (!plan.q || plan.q === 'auto') ? Object.assign({}, plan, {q: SAVING_QUALITY}) : plan);

function atRatio(plan, ratio) {
    const variant = Object.assign({}, plan);
    if (isLadder(plan)) {
        const wanted = +scaled(plan.w, ratio);
        variant.w = String(LADDER.find(width => width >= wanted) || LADDER[LADDER.length - 1]);
    } else if (optionsText(plan) !== BARE_TEXT) {
        scale(variant, ratio);
    }
    return variant;
}

const hintedRatio = hint =>
    (/^\d{1,3}(\.\d{1,16})?$(?!\n)/.test(hint) ? Math.min(4, Math.max(1, Math.ceil(hint * 2) / 2)) : 1);
