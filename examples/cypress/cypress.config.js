const { defineConfig } = require('cypress');
const { serve } = require('./shop');

module.exports = defineConfig({
  screenshotOnRunFailure: false,
  e2e: {
    async setupNodeEvents(on, config) {
      config.baseUrl = await serve();
      return config;
    },
  },
});
