// SPDX-License-Identifier: Apache-2.0
'use strict';
'require dom';
'require poll';
'require view';
'require greengate.calls as calls';

const STATES = {
	'protected': [ 'success', _('Protected') ],
	'degraded': [ 'warning', _('Protected, but something is wrong') ],
	'unprotected': [ 'danger', _('Not protected') ]
};

function percent(part, whole) {
	return whole > 0 ? (100 * part / whole).toFixed(1) + ' %' : '-';
}

function content(reply) {
	const fault = calls.fault(reply);
	if (fault)
		return fault;
	const state = STATES[reply.state] || [ 'warning', reply.state ];
	return E('div', {}, [
		E('div', { 'class': 'alert-message ' + state[0] }, [
			E('h4', {}, state[1]),
			E('ul', {}, reply.reasons.map(reason => E('li', {}, reason)))
		]),
		calls.table([ _('Questions'), _('Blocked'), _('Part'), _('Blocked names'), _('Version') ], [ [
			String(reply.queries), String(reply.blocked), percent(reply.blocked, reply.queries),
			String(reply.lists.names), reply.version
		] ]),
		E('h3', {}, _('Lists')),
		calls.table([ _('List'), _('Category'), _('Names'), _('Fetched'), _('Last error') ],
			(reply.lists.sources || []).map(source => [
				source.id, source.category, String(source.entries), calls.time(source.fetched_at), source.error || '-'
			])),
		E('h3', {}, _('Upstream servers')),
		calls.table([ _('Server'), _('Answers'), _('Milliseconds') ],
			reply.upstreams.map(server => [
				server.address, server.ok ? _('yes') : _('no'), String(Math.round(server.srtt_ms))
			]))
	]);
}

return view.extend({
	load: function() {
		return calls.status();
	},

	render: function(reply) {
		const place = E('div', { 'id': 'greengate-status' }, content(reply));
		poll.add(() => calls.status().then(now => dom.content(place, content(now))), 10);
		return E('div', {}, [ E('h2', {}, _('greengate: status')), place ]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
