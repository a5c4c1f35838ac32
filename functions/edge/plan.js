// Builds the plan of a request, and its variant for a viewer.

const isData = format => has(DATA_FORMATS, format);

const scale = (plan, ratio) => ['w', 'h'].forEach(side => {
    if (plan[side]) {
        plan[side] = Math.min(MAX_SIDE, Math.round(plan[side] * ratio));
    }
});

// Only the first page is analysed. `redact` is what the plan redacts, or what is forced on it.
const checkFirstPage = (plan, redact) => {
    if ((redact || plan.boxes || plan.cutout) && plan.page) {
        refuse('bad-option.pages');
    }
};

// Normalises a plan, step by step as in darkroom.plan.normalize.
const planOf = values => {
    const plan = {};
    const apart = APART;
    keysOf(values).forEach(name => {
        if (values[name] && !has(apart, name)) {
            plan[name] = values[name];
        }
    });
    if (plan.f !== 'json') {
        delete plan.boxes;
    }
    if (isData(plan.f)) {
        keysOf(plan).forEach(name => {
            if (!has(['f', 'page', 'boxes'], name)) {
                delete plan[name];
            }
        });
        return plan;
    }
    if (values.dpr) {
        scale(plan, values.dpr);
    }
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
    // A vertical flip is a rotation by 180 and a horizontal flip.
    const flip = plan.flip || '';
    const degrees = (+(plan.rot || 0) + (has(flip, 'v') ? 180 : 0)) % 360;
    delete plan.flip;
    delete plan.rot;
    if (flip && !flip[1]) {
        plan.flip = 'h';
    }
    if (degrees) {
        plan.rot = degrees;
    }
    if (has(LOSSLESS_FORMATS, plan.f)) {
        delete plan.q;
    }
    if (plan.page || plan.redact || plan.cutout || plan.f && !has(ANIMATED_FORMATS, plan.f)) {
        delete plan.anim;
    }
    if (!keysOf(plan)[0]) {
        plan.w = plan.h = BARE_SIDE;
    }
    plan.f = plan.f || 'auto';
    return plan;
};

const lastPart = plan =>
    (keysOf(plan).filter(name => name !== 'f').sort().map(name => name + '-' + plan[name]).join('_') || 'full') + '.' + plan.f;

const isLadder = plan => !keysOf(plan)[2] && has(LADDER, +plan.w);

// Returns whether guarded mode serves a plan without a signature, apart from presets. `text` is the plan's last part.
const isUnsigned = (plan, text) => isLadder(plan) || (isData(plan.f) ? !keysOf(plan)[1] : text === BARE_REQUEST);

// Negotiation

const ladderWidth = wanted => LADDER.find(width => width >= wanted) || WIDEST;

const atRatio = (plan, text, ratio) => {
    if (isLadder(plan)) {
        return {w: ladderWidth(plan.w * ratio), f: plan.f};
    }
    const variant = Object.assign({}, plan);
    if (!text.startsWith(BARE_TEXT)) {
        scale(variant, ratio);
    }
    return variant;
};
