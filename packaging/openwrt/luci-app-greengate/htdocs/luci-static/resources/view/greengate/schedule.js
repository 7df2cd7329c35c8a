// SPDX-License-Identifier: Apache-2.0
'use strict';
'require dom';
'require poll';
'require ui';
'require view';
'require greengate.calls as calls';

function inForce(rules) {
	if (rules.paused)
		return _('paused: nothing is blocked');
	if (rules.only_chosen)
		return _('only: %s').format(calls.words(rules.only));
	return calls.words(rules.block.concat(rules.services));
}

/* Afterwards the table is drawn again at once. */
function act(place, promise) {
	return promise.then(reply => {
		if (!reply.ok)
			ui.addNotification(null, E('p', {}, reply.error || _('It was not done.')), 'warning');
		return calls.schedule();
	}).then(now => dom.content(place, content(now, place)));
}

function buttons(place, row) {
	const pause = minutes => E('button', {
		'class': 'btn cbi-button',
		'click': ui.createHandlerFn(null, () => act(place, calls.pause(minutes, row.group)))
	}, _('Pause %d min').format(minutes));
	return row.paused ? E('button', {
		'class': 'btn cbi-button-positive',
		'click': ui.createHandlerFn(null, () => act(place, calls.resume(row.group)))
	}, _('Block again')) : E('span', {}, [ pause(10), ' ', pause(60) ]);
}

function content(reply, place) {
	const fault = calls.fault(reply);
	if (fault)
		return fault;
	return E('div', {}, [
		reply.clock_trusted ? '' : E('div', { 'class': 'alert-message warning' },
			_('The clock of this router is not set yet: all that schedules ever block is blocked.')),
		calls.table([ _('Group'), _('Blocked now'), _('Until'), _('Then'), '' ],
			reply.groups.map(row => [
				row.group, inForce(row), calls.time(row.changes_at),
				row.then ? inForce(row.then) : '-', buttons(place, row)
			]))
	]);
}

return view.extend({
	load: function() {
		return calls.schedule();
	},

	render: function(reply) {
		const place = E('div', { 'id': 'greengate-schedule' });
		dom.content(place, content(reply, place));
		poll.add(() => calls.schedule().then(now => dom.content(place, content(now, place))), 30);
		return E('div', {}, [ E('h2', {}, _('greengate: schedule')), place ]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
