// SPDX-License-Identifier: Apache-2.0
/* The LuCI views without LuCI: views.js FOLDER REPLIES.json prints, for each view, the text that it
 * shows of these replies. What LuCI brings is a few lines here. */
'use strict';
const fs = require('fs');
const path = require('path');

const [ folder, file ] = process.argv.slice(2);
const replies = JSON.parse(fs.readFileSync(file, 'utf8'));
const asked = [];

String.prototype.format = function(...values) {
	return this.replace(/%[sd]/g, () => String(values.shift()));
};

class Node {
	constructor(tag, attributes, children) {
		Object.assign(this, { tag, attributes: attributes || {}, children: [], value: '' });
		this.add(children);
	}
	add(child) {
		if (Array.isArray(child))
			child.forEach(one => this.add(one));
		else if (child !== undefined && child !== null)
			this.children.push(child);
	}
	appendChild(child) { this.add(child); }
	text() {
		return this.children.map(child => child instanceof Node ? child.text() : String(child)).join(' ');
	}
	find(tag) {
		const below = this.children.filter(child => child instanceof Node);
		return below.filter(child => child.tag === tag).concat(...below.map(child => child.find(tag)));
	}
}

const E = (tag, attributes, children) => new Node(tag, attributes, children);
const option = () => ({ value() { return this; }, datatype: '' });
const sections = [];
class FormMap {
	constructor(config, title) { this.title = title; }
	section(kind, type, ...titles) {
		const one = { options: [], option(widget, name, title) { this.options.push(title); return option(); } };
		sections.push(one);
		one.titles = titles;
		return one;
	}
	render() { return E('div', {}, sections.map(one => one.options)); }
}
const bring = {
	dom: { content(place, what) { place.children = []; place.add(what); } },
	poll: { add() {} },
	ui: { createHandlerFn: (self, f) => f, addNotification() {} },
	baseclass: { extend: members => members },
	view: { extend: members => members },
	form: { Map: FormMap },
	'tools.widgets': {},
	rpc: {
		declare: wanted => (...values) => {
			asked.push([ wanted.method, ...values ]);
			return Promise.resolve(replies[wanted.method]);
		}
	}
};

function load(name) {
	const source = fs.readFileSync(path.join(folder, name.replace(/\./g, '/') + '.js'), 'utf8');
	const names = [ 'E', '_' ], values = [ E, text => text ];
	for (const [ , module, as ] of source.matchAll(/^'require ([\w.]+)(?: as (\w+))?';$/gm)) {
		names.push(as || module);
		values.push(bring[module] || load(module));
	}
	return new Function(...names, source)(...values);
}

async function show(name) {
	const view = load('view.greengate.' + name);
	const node = view.render(view.load ? await view.load() : undefined);
	if (name === 'check') {
		node.find('input')[0].value = ' bad.test ';
		await node.find('button')[0].attributes.click();
	}
	if (name === 'schedule') {
		for (const button of node.find('button').slice(0, 1))
			await button.attributes.click();
	}
	return node.text();
}

(async () => {
	const shown = {};
	for (const name of [ 'status', 'groups', 'schedule', 'check', 'settings' ])
		shown[name] = await show(name);
	console.log(JSON.stringify({ shown, asked }));
})();
