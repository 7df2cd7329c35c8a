// SPDX-License-Identifier: Apache-2.0
'use strict';
'require form';
'require view';
'require tools.widgets as widgets';

const CATEGORIES = [ 'adult', 'deepfake', 'violence', 'self-harm', 'drugs', 'weapons', 'gambling', 'hate', 'malware',
	'phishing', 'scam', 'bypass', 'piracy', 'games', 'social', 'video', 'chat', 'dating', 'shopping', 'ads', 'tracking' ];

function addCategories(option) {
	CATEGORIES.forEach(category => option.value(category));
	return option;
}

function addService(map) {
	const s = map.section(form.NamedSection, 'main', 'greengate', _('Service'));
	let o = s.option(form.Flag, 'enabled', _('Filter this network'));
	o.rmempty = false;
	o = s.option(form.ListValue, 'mode', _('Place'),
		_('In front, greengate sees each device itself. Behind, dnsmasq stays on port 53 and tells the device by its MAC.'));
	o.value('front', _('in front of dnsmasq'));
	o.value('behind', _('behind dnsmasq'));
	o.default = 'front';
	s.option(form.DynamicList, 'upstream', _('Upstream servers'),
		_('wan is what the provider says; or udp://9.9.9.9:53, tls://9.9.9.9:853#dns.quad9.net')).value('wan');
	o = s.option(widgets.NetworkSelect, 'network', _('Networks with clients'));
	o.multiple = true;
	o.nocreate = true;
	o = s.option(form.Flag, 'firewall', _('Shut ways around'),
		_('Port 53 is led here, and other well-known resolvers are refused.'));
	o.default = '1';
	o = s.option(form.Flag, 'page', _('Warning page'));
	o.default = '1';
	s.option(form.Value, 'organisation', _('Whose policy this is'), _('Shown on the warning page.'));
	s.option(form.Value, 'contact', _('Whom to ask'), _('Text, mail or telephone, shown on the warning page.'));
}

function addGroups(map) {
	const s = map.section(form.GridSection, 'group', _('Groups'),
		_('The first group that has the client counts; the last one has no clients and catches the rest.'));
	s.addremove = s.anonymous = s.sortable = true;
	s.option(form.Value, 'name', _('Name'));
	s.option(form.DynamicList, 'client', _('Clients'), _('Addresses, subnets, MACs, host:NAME'));
	addCategories(s.option(form.DynamicList, 'block', _('Blocked categories')));
	let o = s.option(form.DynamicList, 'service', _('Blocked services'));
	o.modalonly = true;
	o = s.option(form.Flag, 'safe_search', _('Safe search'));
	o.modalonly = true;
	o = s.option(form.ListValue, 'youtube', _('YouTube'));
	o.modalonly = true;
	[ 'off', 'moderate', 'strict' ].forEach(word => o.value(word));
}

function addSchedules(map) {
	const s = map.section(form.GridSection, 'schedule', _('Schedule'));
	s.addremove = s.anonymous = true;
	s.option(form.Value, 'group', _('Group'));
	addCategories(s.option(form.DynamicList, 'block', _('Blocked categories'))).value('all');
	s.option(form.Value, 'days', _('Days'), 'mon-fri, sat,sun, daily');
	s.option(form.Value, 'from', _('From')).placeholder = '20:00';
	s.option(form.Value, 'to', _('Until')).placeholder = '07:00';
}

function addLists(map) {
	const s = map.section(form.GridSection, 'list', _('Lists'));
	s.addremove = s.anonymous = true;
	s.option(form.Value, 'id', _('Name'));
	s.option(form.Value, 'url', _('Address'));
	addCategories(s.option(form.ListValue, 'category', _('Category')));
	s.option(form.Flag, 'enabled', _('In use')).default = '1';
}

return view.extend({
	render: function() {
		const map = new form.Map('greengate', _('greengate: settings'));
		addService(map);
		addGroups(map);
		addSchedules(map);
		addLists(map);
		return map.render();
	}
});
