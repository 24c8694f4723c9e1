// Somebody's own configuration: handlers for every event, one of them registered twice.
const { appendFileSync, writeFileSync } = require('node:fs');
const { defineConfig } = require('cypress');
const { serve } = require('./server');

const note = (what) => appendFileSync('handlers.log', `${what}\n`);

module.exports = defineConfig({
  defaultCommandTimeout: 2000,
  retries: { runMode: 1 },
  screenshotOnRunFailure: false,
  e2e: {
    specPattern: 'specs/*.cy.js',
    supportFile: 'support/mine.js',
    async setupNodeEvents(on, config) {
      on('before:run', () => note('before:run, which the next replaces'));
      on('before:run', ({ specs }) => note(`before:run ${specs.length}`));
      on('before:spec', (spec) => note(`before:spec ${spec.relative}`));
      on('after:spec', (spec, results) => note(`after:spec ${spec.relative} ${results.stats.tests}`));
      on('after:run', async (results) => {
        note(`after:run ${results.totalTests}`);
        writeFileSync('results.json', JSON.stringify(results));
      });
      on('task', { add: ([left, right]) => left + right });
      config.env.site = await serve();
      return config;
    },
  },
});
