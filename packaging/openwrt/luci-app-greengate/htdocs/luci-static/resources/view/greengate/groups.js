// SPDX-License-Identifier: Apache-2.0
'use strict';
'require view';
'require greengate.calls as calls';

return view.extend({
	load: function() {
		return calls.groups();
	},

	render: function(reply) {
		return E('div', {}, [
			E('h2', {}, _('greengate: groups')),
			E('p', {}, _('The first group that has a device counts; the last one catches the rest. Devices are counted, not listed.')),
			calls.fault(reply) || calls.table(
				[ _('Group'), _('Clients'), _('Blocked categories'), _('Blocked services'), _('Known addresses') ],
				reply.groups.map(group => [
					group.name, group.clients.length ? calls.words(group.clients) : _('all others'),
					calls.words(group.block), calls.words(group.services), String(group.addresses)
				]))
		]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
