/** Return the configuration with CrossBridge's reporter beside the project's own. */
export declare function withCrossbridge<T>(config: T): T;
