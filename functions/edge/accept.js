// Negotiation: the class of formats that an Accept header prefers, as darkroom.plan.negotiation has it.

function formatClass(accept) {
    const weights = {};
    accept.toLowerCase().split(',').forEach(entry => {
        const parts = entry.split(';').map(part => part.replace(/^[ \t]+|[ \t]+$(?!\n)/g, ''));
        let weight = 1;
        parts.slice(1).forEach(part => {
            if (part.startsWith('q=')) {
                weight = /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$(?!\n)/.test(part) ? +part.slice(2) : 0;
            }
        });
        weights[parts[0]] = weight;
    });
    let best = CLASSES[0];
    let most = 0;
    CLASSES.forEach(one => one[1].forEach(type => {
        if (weights[type] > 0 && weights[type] >= most) {
            best = one;
            most = weights[type];
        }
    }));
    return best[0];
}
