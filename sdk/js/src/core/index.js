export { newUuid, nowUs } from './clock.js';
export { Collector } from './collector.js';
export { caught, faults } from './guard.js';
export { endpoint, testId } from './identity.js';
