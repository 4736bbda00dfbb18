// Stands for what a firm's package has here: where its Postroom is, and its services.
export default { baseUrl: '', services: [] };
