'use strict';

/**
 * Let CrossBridge see the runs of a Cypress project: give it the configuration, export what it returns.
 *
 * The user's own `setupNodeEvents` runs as before. Without CROSSBRIDGE_PROFILING=true nothing changes at all. Component
 * tests are left alone.
 */
exports.withCrossbridge = function withCrossbridge(config) {
  if (!config || typeof config !== 'object') return config;
  const own = config.e2e && config.e2e.setupNodeEvents;
  const setupNodeEvents = async (on, resolved) => {
    const plugin = await import('./index.js').catch(() => null);
    if (plugin) return plugin.setUp(on, resolved, own);
    return own ? own(on, resolved) : undefined;
  };
  return config.e2e ? { ...config, e2e: { ...config.e2e, setupNodeEvents } } : config;
};
