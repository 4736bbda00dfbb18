// What the simulators' sample firm and its directory are called.

export const TENANT = '7d3f0c52-6a1b-4e0e-9a54-2f5b1f6f0a11';
export const ENTRA_APP = 'b51c2e0a-94d7-4d5e-8a3f-0c9e5d1b7a22';

/** A password that nobody objects to. */
export const PASSWORD = 'seven brown envelopes';
