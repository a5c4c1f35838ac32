// Negotiation: the class of formats that an Accept header prefers, as in darkroom.plan.variants.

const formatClass = accept => {
    // Each entry becomes ,type;parameter;parameter; the last of equal types applies.
    const text = ',' + accept.toLowerCase() + ',';
    const entries = (/[ \t]/.test(text) ? text.replace(/[ \t]*([,;])[ \t]*/g, '$1') : text).split(',').join(';,');
    let best = '';
    let most = 0;
    // The best type comes first.
    TYPES.split(' ').some((type, at) => {
        const start = entries.lastIndexOf(',' + type + ';');
        const entry = entries.slice(start, entries.indexOf(',', start + 1));
        const cut = entry.lastIndexOf(';q=');
        const value = entry.slice(cut + 3, entry.indexOf(';', cut + 1));
        const weight = start < 0 ? 0
            : cut < 0 ? 1
            : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$(?!\n)/.test(value) ? +value : 0;
        if (weight > most) {
            best = CLASSES[at];
            most = weight;
        }
        return most === 1;
    });
    return best || DEFAULT_CLASS;
};
