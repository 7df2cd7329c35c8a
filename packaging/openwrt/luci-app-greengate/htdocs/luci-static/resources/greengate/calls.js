// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require rpc';

/* What the views share: the calls, and how times and answers are shown. */
const call = (method, params) => rpc.declare({
	object: 'luci.greengate', method: method, params: params || [], expect: { '': {} }
});

return baseclass.extend({
	status: call('status'),
	groups: call('groups'),
	schedule: call('schedule'),
	check: call('check', [ 'name', 'client' ]),
	pause: call('pause', [ 'minutes', 'group' ]),
	resume: call('resume', [ 'group' ]),

	time: function(seconds) {
		return seconds > 0 ? new Date(seconds * 1000).toLocaleString() : '-';
	},

	words: function(list) {
		return list && list.length ? list.join(', ') : '-';
	},

	/* A message instead of the view when the program did not do it; null when it did. */
	fault: function(reply) {
		if (reply && reply.ok)
			return null;
		return E('div', { 'class': 'alert-message warning' }, [
			E('h4', {}, _('greengate does not answer')),
			E('p', {}, (reply && reply.error) || _('Is the service started? See Settings.'))
		]);
	},

	table: function(titles, rows) {
		const table = E('table', { 'class': 'table' }, [
			E('tr', { 'class': 'tr table-titles' }, titles.map(title => E('th', { 'class': 'th' }, title)))
		]);
		rows.forEach(row => table.appendChild(
			E('tr', { 'class': 'tr' }, row.map(cell => E('td', { 'class': 'td' }, cell)))));
		return table;
	}
});
