// Requests, as the engine hands them out and takes them back.

const valuesOf = given => (given.multiValue || [given]).map(one => one.value);

function header(request, name) {
    const given = request.headers[name];
    return given ? valuesOf(given).join(',') : '';
}

// Each of these headers is set or deleted on every request, so that no viewer can send one.
function setHeader(request, name, value) {
    delete request.headers['x-darkroom-' + name];
    if (value) {
        request.headers['x-darkroom-' + name] = {value: value};
    }
}

// As the viewer wrote it, but for the order: the engine hands on names and values percent-encoded.
function queryText(request) {
    const pairs = [];
    Object.keys(request.querystring).forEach(name => {
        valuesOf(request.querystring[name]).forEach(value => pairs.push(name + '=' + value));
    });
    return pairs.join('&');
}
