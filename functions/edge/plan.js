// Builds the plan of a request, and its variant for a viewer.

const isData = format => has(DATA_FORMATS, format);

const scale = (plan, ratio) => ['w', 'h'].forEach(side => {
    if (plan[side]) {
        plan[side] = Math.min(MAX_SIDE, Math.round(plan[side] * ratio));
    }
});

// Normalises a plan as darkroom.plan.canonical does: leaves out what has no effect.
const planOf = values => {
    const plan = {};
    const format = values.f || 'auto';
    const isBox = values.w && values.h;
    const flip = values.flip || '';
    // A vertical flip is a rotation by 180 and a horizontal flip.
    const degrees = (+(values.rot || 0) + (has(flip, 'v') ? 180 : 0)) % 360;
    const omitted = [APART, 'flip', 'rot',
        format === 'json' || 'boxes',
        isBox || 'fit',
        values.w || values.h || 'up',
        isBox && values.fit === 'cover' || 'g',
        values.crop === 'pct-0-0-100-100' && 'crop',
        has(LOSSLESS_FORMATS, format) && 'q',
        (values.page || values.redact || values.cutout || !has(ANIMATED_FORMATS, format)) && 'anim'];
    keysOf(values).forEach(name => {
        if (values[name] && !has(omitted, name) && (!isData(format) || has(['f', 'page', 'boxes'], name))) {
            plan[name] = values[name];
        }
    });
    if (isData(format)) {
        return plan;
    }
    if (values.dpr) {
        scale(plan, values.dpr);
    }
    if (flip && !flip[1]) {
        plan.flip = 'h';
    }
    if (degrees) {
        plan.rot = degrees;
    }
    if (!keysOf(plan)[0]) {
        plan.w = plan.h = BARE_SIDE;
    }
    plan.f = format;
    return plan;
};

const lastPart = plan =>
    (keysOf(plan).filter(name => name !== 'f').sort().map(name => name + '-' + plan[name]).join('_') || 'full') + '.' + plan.f;

const isLadder = plan => !keysOf(plan)[2] && has(LADDER, +plan.w);

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
