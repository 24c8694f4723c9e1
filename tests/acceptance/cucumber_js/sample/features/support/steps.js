const assert = require('node:assert');
const { Given, When, Then, Before, After } = require('@cucumber/cucumber');
let tries = 0;
Before({ tags: '@broken' }, () => { throw new RangeError('no server'); });
Before({ tags: '@skipped' }, () => 'skipped');
Given('an open shop', function () { this.cart = []; });
When('I add {string}', function (item) { this.cart.push(item); });
When('it works the second time', () => { tries += 1; if (tries < 2) throw new Error('first'); });
Then('the cart holds {int} item\\(s\\)', function (count) { assert.strictEqual(this.cart.length, count); });
