/** Let CrossBridge see the runs of a Cypress project: give it the configuration, export what it returns. */
export declare function withCrossbridge<T>(config: T): T;
