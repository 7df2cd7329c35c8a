// SPDX-License-Identifier: Apache-2.0
'use strict';
'require dom';
'require ui';
'require view';
'require greengate.calls as calls';

function row(title, value) {
	return value ? [ [ E('strong', {}, title), value ] ] : [];
}

function content(reply) {
	const fault = calls.fault(reply);
	if (fault)
		return fault;
	return E('div', {}, [
		E('div', { 'class': 'alert-message ' + (reply.blocked ? 'danger' : 'success') },
			(reply.blocked ? _('%s is blocked.') : _('%s is not blocked.')).format(reply.name)),
		calls.table([ '', '' ], [].concat(
			row(_('Group'), reply.group), row(_('Why'), reply.text), row(_('Category'), reply.category),
			row(_('List'), reply.list), row(_('Line of the list'), reply.rule_text),
			row(_('Rule'), reply.rule), row(_('Blocked until'), reply.until > 0 ? calls.time(reply.until) : ''),
			row(_('Code on the page'), reply.ref)))
	]);
}

return view.extend({
	render: function() {
		const name = E('input', { 'class': 'cbi-input-text', 'id': 'greengate-name', 'type': 'text', 'maxlength': 253 });
		const client = E('input', { 'class': 'cbi-input-text', 'id': 'greengate-client', 'type': 'text', 'maxlength': 64 });
		const place = E('div', { 'id': 'greengate-verdict' });
		const ask = () => calls.check(name.value.trim(), client.value.trim())
			.then(reply => dom.content(place, content(reply)));
		return E('div', {}, [
			E('h2', {}, _('greengate: check a name')),
			E('p', {}, _('What happens to a name, and which rule or list says so.')),
			E('div', { 'class': 'cbi-value' }, [
				E('label', { 'class': 'cbi-value-title', 'for': 'greengate-name' }, _('Name')),
				E('div', { 'class': 'cbi-value-field' }, name)
			]),
			E('div', { 'class': 'cbi-value' }, [
				E('label', { 'class': 'cbi-value-title', 'for': 'greengate-client' }, _('Device (address, MAC or host:NAME; may stay empty)')),
				E('div', { 'class': 'cbi-value-field' }, client)
			]),
			E('button', { 'class': 'btn cbi-button-action', 'click': ui.createHandlerFn(null, ask) }, _('Check')),
			place
		]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
